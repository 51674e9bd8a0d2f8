import { words } from '../../words/language';

export const useCreditWords = words(
  {
    types: { issue: 'Issued', adjustment: 'Changed by hand', spend: 'Spent', release: 'Given back, not spent', refund: 'Paid back' },
    way: 'Which way',
    add: 'Add',
    take: 'Take',
    amount: 'Amount',
    now: (amount: string) => `There are ${amount} now.`,
    howMuch: 'Say how much.',
    tooMuch: (amount: string) => `There are only ${amount}.`,
    reason: 'Why',
    reasonText: 'It stands with the entry.',
    sayWhy: 'Say why.',
    done: 'The balance is changed',
  },
  {
    de: {
      types: { issue: 'Ausgestellt', adjustment: 'Von Hand geändert', spend: 'Ausgegeben', release: 'Zurückgegeben, nicht ausgegeben', refund: 'Erstattet' },
      way: 'In welche Richtung',
      add: 'Hinzufügen',
      take: 'Abziehen',
      amount: 'Betrag',
      now: (amount) => `Jetzt sind es ${amount}.`,
      howMuch: 'Sagen Sie, wie viel.',
      tooMuch: (amount) => `Es sind nur ${amount}.`,
      reason: 'Warum',
      reasonText: 'Es steht bei der Buchung.',
      sayWhy: 'Sagen Sie, warum.',
      done: 'Das Guthaben ist geändert',
    },
  },
);
