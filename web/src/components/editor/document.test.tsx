import { renderHook } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { useKnownAgain } from './document';

describe('whom the server knows again', () => {
  it('goes on at once, and only then', () => {
    const goOn = vi.fn();
    const { rerender } = renderHook(({ signedOut }) => useKnownAgain(signedOut, goOn), { initialProps: { signedOut: false } });
    rerender({ signedOut: true });
    rerender({ signedOut: true });
    expect(goOn).not.toHaveBeenCalled();
    rerender({ signedOut: false });
    rerender({ signedOut: false });
    expect(goOn).toHaveBeenCalledOnce();
  });
});
