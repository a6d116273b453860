// A working day as figures, made up without chance: the same pictures each time.
import type { DocumentInfo } from '@concord/client/rest';

export const sampleWelcome = (): object => ({
  type: 'welcome',
  user: { id: 'g_1', name: 'Quiet Otter', color: 4 },
  limits: { message_bytes_max: 262_144, text_bytes_max: 32_768, components_max: 1_000, document_bytes_max: 4_194_304, submissions_per_s: 100, submissions_burst: 200, ranges_max: 16, documents_max: 64, ring_len: 1_024, topics_max: 64, event_bytes_max: 8_192 },
  heartbeat_ms: 30_000,
});

/** Something between 0 and 1 that looks like chance. */
const chance = (n: number): number => Math.abs(Math.sin(n * 12.9898) * 43_758.5453) % 1;

function second(index: number, nowMs: number): object {
  const tide = 0.6 + 0.4 * Math.sin(index / 140);
  const operations = Math.round(38 * tide + 16 * chance(index));
  const appendUs = Math.round(420 + 260 * tide + 180 * chance(index + 7));
  const people = Math.round(24 * tide + 6);
  return {
    time_ms: nowMs - (899 - index) * 1_000,
    people,
    documents: Math.round(people / 2.6),
    operations,
    server: {
      connections: people + 4,
      loaded: Math.round(people / 2.2),
      bytes_received: operations * 190 + Math.round(400 * chance(index + 3)),
      bytes_sent: operations * 720 + Math.round(4_000 * chance(index + 5)),
      ...(index % 97 === 0 && { rejects: { slow_down: 3 } }),
      ...(index % 233 === 0 && { rejects: { text_too_large: 1, slow_down: 2 } }),
      append: { p50_us: appendUs, p99_us: appendUs * 3 + (index % 180 === 90 ? 6_000 : 0) },
      fanout: { p50_us: 60, p99_us: Math.round(appendUs * 0.7) },
      answer: { p50_us: appendUs + 130, p99_us: appendUs * 3 + 400 },
      memory_bytes: 46_000_000 + Math.round(9_000_000 * tide) + index * 2_000,
    },
  };
}

/** 15 minutes up to now, and the busiest documents: of the person's own with their ids. */
export function sampleFigures(of: 'server' | 'own', documents: DocumentInfo[]): object {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
  const seconds = Array.from({ length: 900 }, (_, index) => second(index, nowMs)).map((each) => (of === 'own' ? { ...each, server: undefined } : each));
  const rows = Array.from({ length: 9 }, (_, index) => ({
    number: 0x9e3779b9 ^ (index * 0x1000193),
    ...((of === 'own' || index % 3 === 0) && { doc: documents[of === 'own' ? index : index / 3]?.id }),
    people: 6 - Math.floor(index / 2),
    operations: Math.max(0, 12 - index * 2),
    operations_minute: 640 - index * 71,
  }));
  return { type: 'figures', of, first: true, seconds, documents: of === 'own' ? rows.filter(({ doc }) => doc !== undefined) : rows.map((row) => ({ ...row, number: row.number >>> 0 })) };
}
