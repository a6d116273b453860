import { APP_SHORTCUTS, EDITOR_SHORTCUTS, HISTORY_SHORTCUTS, HOME_SHORTCUTS, type Shortcut } from '@/lib/shortcuts';
import { Keys } from './Keys';
import { Sheet } from './Sheet';

function Section({ title, shortcuts }: { title: string; shortcuts: Shortcut[] }) {
  return (
    <section className="mb-6 last:mb-0">
      <h3 className="mb-1 text-xs font-medium text-muted">{title}</h3>
      <dl>
        {shortcuts.map(({ combo, what }) => (
          <div key={combo} className="flex min-h-9 items-center justify-between gap-4 border-b border-line py-1 last:border-0">
            <dt className="text-sm">{what}</dt>
            <dd>
              <Keys combo={combo} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Every key the app listens to. */
export function HelpSheet({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  return (
    <Sheet open={open} onOpenChange={onOpenChange} title="Keyboard" description="Everything can be done without a mouse." reading>
      <Section title="In a document" shortcuts={EDITOR_SHORTCUTS} />
      <Section title="In the history" shortcuts={HISTORY_SHORTCUTS} />
      <Section title="In the list" shortcuts={HOME_SHORTCUTS} />
      <Section title="Everywhere" shortcuts={APP_SHORTCUTS} />
    </Sheet>
  );
}
