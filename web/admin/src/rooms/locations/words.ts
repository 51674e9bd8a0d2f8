import { words } from '../../words/language';

export const useLocationWords = words(
  {
    title: 'Locations',
    text: 'Where your goods lie. An order is sent from the first one that has all of it.',
    add: 'Add a location',
    empty: { title: 'No locations yet', text: 'Stock is counted at locations: a warehouse, a shop, the kitchen table.' },
    off: 'Not for sale',
    noAddress: 'No address',
    up: 'Serve earlier',
    down: 'Serve later',
    deleted: (name: string) => `“${name}” is deleted`,
    name: 'Name',
    nameExample: 'Warehouse',
    address: 'Address',
    active: 'What is here is for sale',
    activeText: 'Otherwise it is counted, and sold to nobody.',
  },
  {
    de: {
      title: 'Standorte',
      text: 'Wo Ihre Ware liegt. Eine Bestellung geht vom ersten aus, der sie ganz hat.',
      add: 'Standort anlegen',
      empty: { title: 'Noch keine Standorte', text: 'Bestand wird an Standorten gezählt: einem Lager, einem Laden, dem Küchentisch.' },
      off: 'Nicht im Verkauf',
      noAddress: 'Keine Adresse',
      up: 'Früher bedienen',
      down: 'Später bedienen',
      deleted: (name) => `„${name}“ ist gelöscht`,
      name: 'Name',
      nameExample: 'Lager',
      address: 'Adresse',
      active: 'Was hier liegt, wird verkauft',
      activeText: 'Sonst wird es gezählt und an niemanden verkauft.',
    },
  },
);
