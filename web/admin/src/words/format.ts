import type { Schemas } from '../api/client';
import { useLanguage } from './language';

/** What is made once for each of its arguments: a format takes the browser as long to make as a row of a list. */
function once<A extends (string | boolean | undefined)[], T>(make: (...asked: A) => T): (...asked: A) => T {
  const made = new Map<string, T>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    if (!made.has(key)) made.set(key, make(...asked));
    return made.get(key) as T;
  };
}

/** How many digits a currency has behind the point. */
export const digits = once((currency: string): number => new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2);

/** A day of a time zone, so many days ago. */
export function dayIn(timeZone: string, ago: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(Date.now() - ago * 86_400_000);
}

const moneyOf = once((locale: string, currency: string, whole?: boolean) => new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: whole ? 0 : undefined }));

/** The parts that an amount of money is written with. */
export const moneyParts = once((locale: string, currency: string) => moneyOf(locale, currency).formatToParts(1234.5));

/** How an amount is written without its sign, in whole units of the currency. */
export const plainOf = once((locale: string, currency: string) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits(currency), maximumFractionDigits: digits(currency), useGrouping: false }));

const formatsOf = once((locale: string, timeZone?: string) => {
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone });
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const month = new Intl.DateTimeFormat(locale, { month: 'short', year: 'numeric', timeZone: 'UTC' });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const number = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  const countries = new Intl.DisplayNames(locale, { type: 'region' });
  const languages = new Intl.DisplayNames(locale, { type: 'language' });
  return {
    locale,
    number: (n: number) => number.format(n),
    percent: (share: number) => percent.format(share),
    money: ({ amount, currency }: Schemas['Money'], options?: { whole?: boolean }) => moneyOf(locale, currency, options?.whole).format(amount / 10 ** digits(currency)),
    date: (at: string) => date.format(new Date(at)),
    time: (at: string) => time.format(new Date(at)),
    clock: (at: string) => clock.format(new Date(at)),
    /** A day without a time, such as 2026-11-22. */
    day: (day_: string) => day.format(new Date(day_)),
    month: (day_: string) => month.format(new Date(day_)),
    ago: (at: string) => {
      const seconds = (new Date(at).getTime() - Date.now()) / 1000;
      for (const [unit, length] of [['day', 86_400], ['hour', 3_600], ['minute', 60]] as const) {
        if (Math.abs(seconds) >= length) return unit === 'day' && seconds < -7 * length ? date.format(new Date(at)) : ago.format(Math.trunc(seconds / length), unit);
      }
      return ago.format(0, 'second');
    },
    country: (code: string) => countries.of(code) ?? code,
    language: (tag: string) => languages.of(tag) ?? tag,
  };
});

/** Numbers, money and times as one writes them in the language, and times as they are in the store's zone. */
export function useFormat(timeZone?: string) {
  const { language } = useLanguage();
  return formatsOf(navigator.languages.find((tag) => tag.startsWith(language)) ?? language, timeZone);
}
