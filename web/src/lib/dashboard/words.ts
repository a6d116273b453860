// What the dashboard says where it has no figures.

const PROBLEMS: Record<string, { title: string; detail: string }> = {
  forbidden: { title: 'These figures are for operators', detail: 'You see figures of your own documents. Who runs this server decides who sees more.' },
  overloaded: { title: 'Too many people are watching', detail: 'A place may be free in a few seconds; this page tries again by itself.' },
  slow_down: { title: 'One moment', detail: 'This was asked for very often. The page tries again by itself.' },
};

export const problemWords = (code: string | undefined): { title: string; detail: string } =>
  PROBLEMS[code ?? ''] ?? { title: 'There are no figures', detail: 'The server does not give them. This page tries again by itself.' };
