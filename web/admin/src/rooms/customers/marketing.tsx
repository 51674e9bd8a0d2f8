import { Checkbox, Text, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { Schemas } from '../../api/client';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { useCustomerWords } from './words';

/** What somebody agreed to, as it stands in the form. */
export type Agreed = { accepts_marketing: boolean; accepts_sms_marketing: boolean; marketing_wording: string };

export const agreed = (customer: Schemas['Customer']): Agreed => ({ accepts_marketing: customer.accepts_marketing, accepts_sms_marketing: customer.accepts_sms_marketing, marketing_wording: '' });

/** What is different by now in what somebody agreed to, and in which words. */
export function agreement(now: Agreed, before: Agreed): Partial<Agreed> {
  const wording = now.marketing_wording.trim();
  const changed = {
    ...(now.accepts_marketing !== before.accepts_marketing && { accepts_marketing: now.accepts_marketing }),
    ...(now.accepts_sms_marketing !== before.accepts_sms_marketing && { accepts_sms_marketing: now.accepts_sms_marketing }),
  };
  return { ...changed, ...(Object.values(changed).includes(true) && wording && { marketing_wording: wording }) };
}

/** Whether they may be written to, by mail or by text message, and the proof of it. */
export function Marketing<Values extends Agreed>({ customer, form, writes }: { customer: Schemas['Customer']; form: UseFormReturnType<Values>; writes: boolean }) {
  const w = useCustomerWords();
  const { query, settings } = useStore();
  const f = useFormat(settings.time_zone);
  const consents = query.useQuery('get', '/v1/customers/{customer_id}/marketing-consents', { params: { path: { customer_id: customer.id }, query: { limit: 20 } } });
  const { accepts_marketing, accepts_sms_marketing } = form.values;
  const given = (accepts_marketing && !customer.accepts_marketing) || (accepts_sms_marketing && !customer.accepts_sms_marketing);
  return (
    <Section title={w.marketing.title}>
      <Checkbox label={w.marketing.mail} disabled={!writes} {...form.getInputProps('accepts_marketing' as never, { type: 'checkbox' })} />
      <Checkbox label={w.marketing.sms} disabled={!writes} {...form.getInputProps('accepts_sms_marketing' as never, { type: 'checkbox' })} />
      {given && <TextInput label={w.marketing.wording} description={w.marketing.wordingText} maxLength={2000} {...form.getInputProps('marketing_wording' as never)} />}
      {consents.data?.data.map((consent) => (
        <div key={consent.id}>
          <Text size="sm">
            {w.marketing.channels[consent.channel]}: {consent.granted ? w.marketing.granted : w.marketing.taken} · {f.time(consent.created_at)}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {[w.marketing.methods[consent.method], consent.ip, consent.wording && `“${consent.wording}”`].filter(Boolean).join(' · ')}
          </Text>
        </div>
      ))}
    </Section>
  );
}
