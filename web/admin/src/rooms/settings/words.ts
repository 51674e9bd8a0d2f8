import { words } from '../../words/language';

export const useSettingsWords = words(
  {
    title: 'Settings',
    shop: { title: 'The shop', name: 'Name', description: 'What it is about', descriptionText: 'Search engines show it with the first page.', email: 'E-mail address for your customers', emailText: 'It stands in mails and on documents.', address: 'Address', look: 'Look at it' },
    place: { title: 'Where and when', country: 'Country', zone: 'Time zone', zoneText: 'Days begin and end by it, in reports and documents.' },
    money: {
      title: 'Currencies and taxes',
      currency: 'Main currency',
      currencies: 'Further currencies',
      currenciesText: 'Shoppers choose among those in which a product has a price.',
      included: 'Prices include taxes',
      includedText: 'As is usual towards consumers in Europe.',
    },
    languages: { title: 'Languages', locale: 'Main language', locales: 'Further languages', localesText: 'Each has addresses of its own in the shop as soon as it is shown.', shown: 'Shown in the shop' },
    look: { title: 'Looks', accent: 'Colour', accentText: 'Buttons and links of the shop have it.' },
    saved: 'The settings are saved',
  },
  {
    de: {
      title: 'Einstellungen',
      shop: { title: 'Der Shop', name: 'Name', description: 'Worum es geht', descriptionText: 'Suchmaschinen zeigen es zur ersten Seite.', email: 'E-Mail-Adresse für Ihre Kundschaft', emailText: 'Sie steht in Mails und auf Belegen.', address: 'Adresse', look: 'Ansehen' },
      place: { title: 'Wo und wann', country: 'Land', zone: 'Zeitzone', zoneText: 'Nach ihr beginnen und enden Tage in Auswertungen und Belegen.' },
      money: {
        title: 'Währungen und Steuern',
        currency: 'Hauptwährung',
        currencies: 'Weitere Währungen',
        currenciesText: 'Im Shop wird unter denen gewählt, in denen ein Produkt einen Preis hat.',
        included: 'Preise enthalten Steuern',
        includedText: 'Wie gegenüber Verbrauchern in Europa üblich.',
      },
      languages: { title: 'Sprachen', locale: 'Hauptsprache', locales: 'Weitere Sprachen', localesText: 'Jede hat im Shop eigene Adressen, sobald sie gezeigt wird.', shown: 'Im Shop gezeigt' },
      look: { title: 'Aussehen', accent: 'Farbe', accentText: 'Schaltflächen und Links des Shops haben sie.' },
      saved: 'Die Einstellungen sind gespeichert',
    },
  },
);
