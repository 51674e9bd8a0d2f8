import { type Draft, type DraftVariant, combinations } from './draft';

/** What one letter of a choice is in plain ones, where taking its accents away does not do. */
const plainly: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', þ: 'th', '&': 'and', '@': 'at', "'": '', '’': '', '"': '' };

/** What stands for a choice in a stock-keeping number: capitals and digits, with hyphens between. */
function plain(choice: string): string {
  const letters = choice.toLowerCase().replace(/[ßæœøđðłþ&@'’"]/g, (letter) => plainly[letter] ?? '');
  return letters
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}

/** The stock-keeping number of the nth of all combinations of choices: {1}, {2} and {3} stand for these, {n} for the number. */
export function skuOf(pattern: string, choices: string[], n: number): string {
  return pattern.replace(/\{([123n])\}/g, (whole, place: string) => {
    if (place === 'n') return String(n);
    const choice = choices[Number(place) - 1];
    return choice === undefined ? whole : plain(choice) || String(n);
  });
}

/** Whether a pattern asks for what there is not: another option, or something else in braces. */
export const wrongPattern = (pattern: string, options: number) => /[{}]/.test(pattern.replace(/\{n\}/g, '').replace(/\{([123])\}/g, (whole, place: string) => (Number(place) <= options ? '' : whole)));

/** The numbers of all combinations, in their order. */
export const skusOf = (pattern: string, options: Draft['options']) => combinations(options).map((choices, n) => ({ choices, sku: skuOf(pattern, choices, n + 1) }));

/** Variants with numbers of a pattern, where they have none, or one of the pattern before. */
export function numbered(variants: DraftVariant[], options: Draft['options'], pattern: string, former: string): DraftVariant[] {
  const wrong = wrongPattern(pattern, options.length);
  const sku = (from: string, variant: DraftVariant, n: number) => (from === '' ? '' : skuOf(from, variant.option_values, n + 1));
  return variants.map((variant, n) => (variant.sku === '' || variant.sku === sku(former, variant, n) ? { ...variant, sku: wrong ? '' : sku(pattern, variant, n) } : variant));
}
