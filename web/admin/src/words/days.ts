/** The day and minute of an instant in a time zone, as a field for both takes it. */
export function clockOf(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(at)).replace(' ', 'T');
}

/** The instant of a day, such as 2026-11-22, or of a day and minute, such as 2026-11-22T09:30, in a time zone. */
export function instantOf(clock: string, timeZone: string, daysLater = 0): string {
  const utc = Date.parse(clock.includes('T') ? `${clock}Z` : `${clock}T00:00Z`) + daysLater * 86_400_000;
  const ahead = (at: number) => Date.parse(`${clockOf(new Date(at).toISOString(), timeZone)}Z`) - Math.floor(at / 60_000) * 60_000;
  return new Date(utc - ahead(utc - ahead(utc))).toISOString();
}
