import { encode } from 'uqr';

/** A text as a square that a camera reads: black on white, in the dark, too. */
export function QrCode({ value, label }: { value: string; label: string }) {
  const { data } = encode(value, { ecc: 'M', border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg viewBox={`0 0 ${data.length} ${data.length}`} width={200} height={200} role="img" aria-label={label} shapeRendering="crispEdges" style={{ background: '#fff', borderRadius: 8 }}>
      <path d={dark.join('')} fill="#000" />
    </svg>
  );
}
