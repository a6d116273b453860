'use client';

import { useTopic } from '@concord/client/topics/react';
import { useState } from 'react';

interface Shop {
  orders: number;
  atMs: number;
}

const SHOWN = 60;

export function ShopDashboard() {
  const [values, setValues] = useState<Shop[]>([]);
  const { last, state } = useTopic<Shop>('shop', ({ data }) => setValues((known) => [...known, data].slice(-SHOWN)));
  const most = Math.max(1, ...values.map(({ orders }) => orders));
  const points = values.map(({ orders }, index) => `${index},${20 - (20 * orders) / most}`).join(' ');
  return (
    <figure>
      <figcaption>
        Orders: <b>{last?.data.orders ?? '–'}</b> {state !== 'watching' && <small>connecting…</small>}
      </figcaption>
      <svg viewBox={`0 0 ${SHOWN - 1} 20`} role="img" aria-label={`The last ${values.length} values, ${most} at most`}>
        <polyline points={points} fill="none" stroke="currentColor" />
      </svg>
    </figure>
  );
}
