import type { Schemas } from '../../api/client';
import { type FieldValues, fieldChanges } from '../../page/fields';

export type Condition = { field: Schemas['CollectionCondition']['field']; operator: Schemas['CollectionCondition']['operator']; value: string; currency: string | null; key: string | null };

/** A collection as it stands in the form. */
export type Draft = {
  name: string;
  handle: string;
  description_html: string;
  seo_title: string;
  seo_description: string;
  sort_order: Schemas['CollectionSortOrder'];
  by: 'hand' | 'rule';
  rule: { match: Schemas['CollectionRule']['match']; conditions: Condition[] };
  custom_fields: FieldValues;
};

export const newCondition = (): Condition => ({ field: 'tag', operator: 'equals', value: '', currency: null, key: null });

export const newDraft = (): Draft => ({
  name: '',
  handle: '',
  description_html: '',
  seo_title: '',
  seo_description: '',
  sort_order: 'manual',
  by: 'hand',
  rule: { match: 'all', conditions: [newCondition()] },
  custom_fields: {},
});

export const draftOf = (collection: Schemas['Collection']): Draft => ({
  name: collection.name,
  handle: collection.handle,
  description_html: collection.description_html,
  seo_title: collection.seo_title ?? '',
  seo_description: collection.seo_description ?? '',
  sort_order: collection.sort_order,
  by: collection.rule ? 'rule' : 'hand',
  rule: collection.rule
    ? { match: collection.rule.match, conditions: collection.rule.conditions.map(({ field, operator, value, currency, key }) => ({ field, operator, value: value ?? '', currency: currency ?? null, key: key ?? null })) }
    : newDraft().rule,
  custom_fields: collection.custom_fields,
});

/** Whether an operator compares with something. */
export const compares = ({ operator }: Condition) => !operator.endsWith('_set');

/** Whether all that a condition needs is said. */
export const isWhole = (condition: Condition) => (!compares(condition) || condition.value.trim() !== '') && (condition.field !== 'custom_field' || Boolean(condition.key));

/** A rule in the contract's words. */
export function ruleOf({ match, conditions }: Draft['rule']): Schemas['CollectionRule'] {
  return {
    match,
    conditions: conditions.map((condition) => ({
      field: condition.field,
      operator: condition.operator,
      ...(compares(condition) && { value: condition.value.trim() }),
      ...(condition.currency && { currency: condition.currency }),
      ...(condition.field === 'custom_field' && condition.key && { key: condition.key }),
    })),
  };
}

/** A new collection in the contract's words. */
export function collectionCreate(draft: Draft, product_ids: string[]): Schemas['CollectionCreate'] {
  const texts = { handle: draft.handle, description_html: draft.description_html, seo_title: draft.seo_title, seo_description: draft.seo_description };
  return {
    name: draft.name.trim(),
    sort_order: draft.sort_order,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    ...(draft.by === 'rule' ? { rule: ruleOf(draft.rule) } : product_ids.length > 0 && { product_ids }),
    custom_fields: draft.custom_fields,
  };
}

/** What of a collection has changed, in the contract's words. */
export function collectionUpdate(now: Draft, before: Draft): Schemas['CollectionUpdate'] {
  const told = (draft: Draft) => ({
    name: draft.name.trim(),
    handle: draft.handle,
    description_html: draft.description_html,
    seo_title: draft.seo_title || null,
    seo_description: draft.seo_description || null,
    sort_order: draft.sort_order,
    rule: draft.by === 'rule' ? ruleOf(draft.rule) : null,
  });
  const former: Record<string, unknown> = told(before);
  const fields = fieldChanges(now.custom_fields, before.custom_fields);
  return {
    ...Object.fromEntries(Object.entries(told(now)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(former[name]))),
    ...(fields && { custom_fields: fields }),
  };
}
