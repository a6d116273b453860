import { cleanup, render, screen } from '@testing-library/react';
import { Tooltip } from 'radix-ui';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Person } from '@/data/live';
import { PeopleBar, onePerPerson } from './PeopleBar';

const person = (session: number, user = `g_${session}`, self = false): Person => ({ session, user, name: `Person ${session}`, color: session % 12, self });

afterEach(cleanup);

describe('onePerPerson', () => {
  it('shows a person with two tabs once, and me last', () => {
    const people = [person(9, 'me', true), person(2, 'a'), person(1, 'b'), person(5, 'a'), person(7, 'me')];
    expect(onePerPerson(people).map(({ session }) => session)).toEqual([1, 2, 9]);
  });
});

describe('PeopleBar', () => {
  const bar = (count: number, onGoTo = vi.fn()) => {
    render(
      <Tooltip.Provider>
        <PeopleBar people={Array.from({ length: count }, (_, n) => person(n))} onGoTo={onGoTo} />
      </Tooltip.Provider>,
    );
    return onGoTo;
  };

  it('shows five faces and counts the rest', () => {
    bar(40);
    expect(screen.getAllByRole('button', { name: /^Go to/ })).toHaveLength(5);
    expect(screen.getByRole('button', { name: /show all 40 people/ }).textContent).toContain('+35');
    expect(screen.getByRole('group', { name: 'People here: 40' })).toBeTruthy();
  });

  it('goes to the person whose face is clicked', () => {
    const onGoTo = bar(3);
    screen.getByRole('button', { name: 'Go to Person 1' }).click();
    expect(onGoTo).toHaveBeenCalledWith(person(1));
  });
});
