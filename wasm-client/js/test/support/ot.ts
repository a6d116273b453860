/** The few lines of Operational Transformation that a toy server needs. Characters are Unicode scalar values. */

export type Op = (number | string)[];

const size = (component: number | string): number =>
  typeof component === 'string' ? [...component].length : Math.abs(component);

function push(op: Op, component: number | string): void {
  const last = op.at(-1);
  if (component === 0 || component === '') return;
  if (typeof component === 'string' && typeof last === 'string') op[op.length - 1] = last + component;
  else if (typeof component === 'number' && typeof last === 'number' && component > 0 === last > 0) op[op.length - 1] = last + component;
  else op.push(component);
}

export function baseLength(op: Op): number {
  return op.reduce<number>((sum, component) => sum + (typeof component === 'string' ? 0 : size(component)), 0);
}

export function apply(text: string, op: Op): string {
  const characters = [...text];
  if (baseLength(op) !== characters.length) throw new Error(`operation for ${baseLength(op)}, text of ${characters.length}`);
  let at = 0;
  let out = '';
  for (const component of op) {
    if (typeof component === 'string') out += component;
    else if (component > 0) out += characters.slice(at, (at += component)).join('');
    else at -= component;
  }
  return out;
}

/** `pending` as it is after `committed`; at one gap the committed text comes first. */
export function transform(pending: Op, committed: Op): Op {
  const [left, right, out]: [Op, Op, Op] = [[...pending], [...committed], []];
  while (left.length > 0 || right.length > 0) {
    const [a, b] = [left[0], right[0]];
    if (typeof b === 'string') {
      push(out, size(b));
      right.shift();
    } else if (typeof a === 'string') {
      push(out, a);
      left.shift();
    } else if (a === undefined || b === undefined) {
      throw new Error('the operations span different lengths');
    } else {
      const step = Math.min(size(a), size(b));
      if (b > 0) push(out, a > 0 ? step : -step);
      left[0] = a > 0 ? a - step : a + step;
      right[0] = b > 0 ? b - step : b + step;
      if (left[0] === 0) left.shift();
      if (right[0] === 0) right.shift();
    }
  }
  return out;
}
