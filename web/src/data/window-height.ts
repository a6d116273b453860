// Keeps --window-height at what no on-screen keyboard covers. Browsers that resize the page for the keyboard need
// nothing; the others tell by visualViewport.
import { useEffect } from 'react';

export function useWindowHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const { style } = document.documentElement;
    const follow = () => {
      // Pinch zoom shrinks the viewport too, and must not squeeze the page.
      const covered = viewport.scale === 1 && window.innerHeight - viewport.height > 80;
      if (covered) style.setProperty('--window-height', `${viewport.height}px`);
      else style.removeProperty('--window-height');
      if (covered) window.scrollTo(0, 0);
    };
    follow();
    viewport.addEventListener('resize', follow);
    return () => {
      viewport.removeEventListener('resize', follow);
      style.removeProperty('--window-height');
    };
  }, []);
}
