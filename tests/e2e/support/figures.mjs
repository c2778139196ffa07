// Figures with an aim. A shared machine may miss one for no fault of ours, so the tests print
// them; `./dev bench browser` sets PARLEY_STRICT and a missed aim is a failure there.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** `value` should be at most `aim`. */
export function figure(what, value, aim, unit = '') {
  const met = value <= aim;
  console.log(`  ${what}: ${value}${unit} (aim: at most ${aim}${unit}${met ? '' : ', MISSED'})`);
  if (!met && process.env.PARLEY_STRICT) throw new Error(`${what}: ${value}${unit}, aim ${aim}${unit}`);
}
