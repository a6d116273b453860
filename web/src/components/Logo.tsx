/** The mark: a C with a caret standing in its opening. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 64 64" aria-hidden className={className} fill="none" strokeLinecap="round">
      <path d="M42 18.4A19 19 0 1 0 42 45.6" stroke="currentColor" strokeWidth="7" />
      <path d="M51 15v34" stroke="var(--accent)" strokeWidth="6" />
    </svg>
  );
}
