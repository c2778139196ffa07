// Telephone numbers as people read them: whose country, which groups, what a phone dials by itself.

/** Calling codes of ITU-T E.164 and the region most of their numbers are in. */
const REGIONS: Record<string, string> = {
  '1': 'US', '20': 'EG', '27': 'ZA', '30': 'GR', '31': 'NL', '32': 'BE', '33': 'FR', '34': 'ES', '36': 'HU',
  '39': 'IT', '40': 'RO', '41': 'CH', '43': 'AT', '44': 'GB', '45': 'DK', '46': 'SE', '47': 'NO', '48': 'PL',
  '49': 'DE', '51': 'PE', '52': 'MX', '54': 'AR', '55': 'BR', '56': 'CL', '57': 'CO', '60': 'MY', '61': 'AU',
  '62': 'ID', '63': 'PH', '64': 'NZ', '65': 'SG', '66': 'TH', '7': 'RU', '81': 'JP', '82': 'KR', '84': 'VN',
  '86': 'CN', '90': 'TR', '91': 'IN', '92': 'PK', '351': 'PT', '352': 'LU', '353': 'IE', '354': 'IS',
  '358': 'FI', '359': 'BG', '370': 'LT', '371': 'LV', '372': 'EE', '380': 'UA', '385': 'HR', '386': 'SI',
  '420': 'CZ', '421': 'SK', '852': 'HK', '853': 'MO', '886': 'TW', '971': 'AE', '972': 'IL', '966': 'SA',
};

/** Name of the country in `language`; '' when it cannot be told. */
export function countryOf(number: string, language: string): string {
  const digits = number.replace(/\D/g, '');
  if (!number.trim().startsWith('+')) return '';
  for (const length of [3, 2, 1]) {
    const region = REGIONS[digits.slice(0, length)];
    if (region) return new Intl.DisplayNames([language], { type: 'region' }).of(region) ?? '';
  }
  return '';
}

/** 1234567890 → 123 456 7890: threes, and what is left at the end. */
export function grouped(pin: string): string {
  const groups = [];
  let at = 0;
  while (pin.length - at > 4) {
    groups.push(pin.slice(at, at + 3));
    at += 3;
  }
  groups.push(pin.slice(at));
  return groups.join(' ');
}

/** Dials, waits twice two seconds for the menu to answer, then types the PIN. */
export function oneTap(number: string, pin: string): string {
  return `tel:${number.replace(/[^\d+]/g, '')},,${pin}%23`;
}
