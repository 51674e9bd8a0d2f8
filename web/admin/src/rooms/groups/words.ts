import { words } from '../../words/language';

export const useGroupWords = words(
  {
    title: 'Groups',
    text: 'Prices and discounts can be meant for a group alone.',
    add: 'Add a group',
    new: 'New group',
    rename: 'Rename the group',
    columns: { name: 'Name', customers: 'Customers' },
    name: 'Name',
    nameExample: 'Resellers',
    empty: { title: 'Treat some customers specially', text: 'Put customers into groups, such as resellers or regulars, and give a group prices and discounts of its own.' },
    created: 'The group is there',
    prices: 'Prices for groups',
    actions: (name: string) => `${name}: actions`,
  },
  {
    de: {
      title: 'Gruppen',
      text: 'Preise und Rabatte können für eine Gruppe allein gelten.',
      add: 'Gruppe anlegen',
      new: 'Neue Gruppe',
      rename: 'Gruppe umbenennen',
      columns: { name: 'Name', customers: 'Kundschaft' },
      name: 'Name',
      nameExample: 'Wiederverkauf',
      empty: { title: 'Behandeln Sie manche besonders', text: 'Ordnen Sie Ihre Kundschaft in Gruppen, etwa Wiederverkauf oder Stammkundschaft, und geben Sie einer Gruppe eigene Preise und Rabatte.' },
      created: 'Die Gruppe ist da',
      prices: 'Preise für Gruppen',
      actions: (name) => `${name}: Aktionen`,
    },
  },
);
