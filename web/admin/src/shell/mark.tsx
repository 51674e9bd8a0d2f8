/** The mark of the platform: a colonnade. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg viewBox="0 0 46 46" width={size} height={size} fill="var(--mantine-primary-color-filled)" aria-hidden="true">
      <path d="M23 2 44 13v4H2v-4zM6 20h6v17H6zM20 20h6v17h-6zM34 20h6v17h-6zM2 40h42v4H2z" />
    </svg>
  );
}
