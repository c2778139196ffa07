// For hosts, in the statistics panel: how each person fares, seen by the server and by themselves.
import { useEffect, useState } from 'preact/hooks';
import { meetingStatistics, type PersonStatistics } from '../../api';
import type { Call } from '../../call/call';
import { tokenOf } from '../../call/kept';
import { text } from '../../text';
import { bits, permille, Table } from './figures';

const EVERY_MS = 3000;

/** Asks while the panel is open; null: no answer yet, or not a host (any more). */
function usePeople(call: Call): PersonStatistics[] | null {
  const [people, setPeople] = useState<PersonStatistics[] | null>(null);
  const hosting = call.hosting.value;
  useEffect(() => {
    if (!hosting) return undefined;
    let open = true;
    const look = async () => {
      const token = tokenOf(call.id);
      const seen = token ? await meetingStatistics(call.id, token).catch(() => null) : null;
      if (open) setPeople(seen?.participants ?? null);
    };
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      open = false;
      clearInterval(timer);
    };
  }, [call, hosting]);
  return hosting ? people : null;
}

const worst = (streams: { loss: number }[] | undefined) => Math.max(0, ...(streams ?? []).map((s) => s.loss));

function row({ name, server, client }: PersonStatistics): string[] {
  const t = text.value.stats;
  const told = client.ago >= 0 ? client.report : null;
  const pair = (ours: string, theirs: string | null) => (theirs === null ? ours : `${ours} / ${theirs}`);
  const layers = (server.slots ?? [])
    .filter((slot) => slot.layer >= 0 && (slot.kind === 'tile' || slot.kind === 'screen'))
    .map((slot) => (slot.height > 0 ? `${slot.height}p` : String(slot.layer)));
  const [last] = server.switches ?? [];
  const reasons: Record<string, string> = t.reasons;
  return [
    name,
    `${bits(server.received)} / ${bits(server.sent)}`,
    `${permille(worst(server.tracks))} / ${permille(worst(server.slots))}`,
    pair(server.rtt > 0 ? `${server.rtt} ms` : '–', told && `${told.rtt} ms`),
    bits(server.estimate),
    layers.join(' ') || '–',
    told ? String(told.freezes) : '–',
    told ? permille(told.concealed) : '–',
    last ? `${reasons[last.reason] ?? last.reason}, ${t.ago(Math.round(last.ago / 1000))}` : '–',
  ];
}

export function Everyone({ call }: { call: Call }) {
  const t = text.value.stats;
  const people = usePeople(call);
  if (!people) return null;
  return (
    <div data-testid="everyone">
      <Table
        caption={t.people}
        head={[t.person, t.upDown, t.lossUpDown, t.rtt, t.estimate, t.size, t.freezes, t.concealed, t.lastSwitch]}
        rows={people.map(row)}
      />
      <p class="quiet small">{t.peopleNote}</p>
    </div>
  );
}
