import type { Permission } from '../../session/store';
import { useLanguage } from '../../words/language';

/** What each permission allows, in languages that the API does not tell it in. */
const texts: Record<'de', Record<Permission, string>> = {
  de: {
    'products:read': 'Produkte, Varianten, Preise, Preislisten, Bilder, Kategorien und Kollektionen sehen, auch Entwürfe.',
    'products:write': 'Produkte, Varianten, Preise, Preislisten, Bilder, Kategorien und Kollektionen anlegen, ändern, veröffentlichen und löschen.',
    'content:read': 'Seiten und Beiträge, das Theme, Menüs und Bilder sehen, auch Entwürfe.',
    'content:write': 'Seiten und Beiträge schreiben; Theme, Menüs und Bilder ändern und veröffentlichen.',
    'translations:read': 'Sehen, wie etwas in anderen Sprachen heißt.',
    'translations:write': 'Produkte und alles andere übersetzen, was im Shop zu lesen ist.',
    'promotions:read': 'Rabatte und ihre Codes sehen.',
    'promotions:write': 'Rabatte und ihre Codes anlegen, ändern und löschen.',
    'gift_cards:read': 'Gutscheine sehen und was damit bezahlt wurde, nie ihre Codes.',
    'gift_cards:write': 'Gutscheine ausgeben, ändern und sperren.',
    'store_credit:read': 'Das Guthaben der Kundschaft sehen.',
    'store_credit:write': 'Guthaben geben und nehmen.',
    'inventory:read': 'Bestand, Reservierungen und Bewegungen sehen.',
    'inventory:write': 'Bestand setzen und berichtigen.',
    'imports:write': 'Dateien importieren.',
    'exports:read': 'Exportierte Dateien herunterladen, soweit man ihren Inhalt sehen darf.',
    'exports:write': 'Produkte, Kundschaft und Bestellungen exportieren, soweit man sie sehen darf.',
    'operations:read': 'Importe, Massenänderungen und andere lange Vorgänge sehen, ihren Fortschritt und was aus jeder Zeile wurde.',
    'operations:write': 'Lange Vorgänge abbrechen und rückgängig machen.',
    'settings:read': 'Steuern, Versand, Zahlungsarten und eigene Felder sehen.',
    'settings:write': 'Steuern, Versand, Zahlungsarten und eigene Felder ändern.',
    'orders:read': 'Bestellungen, ihren Verlauf und Entwürfe sehen.',
    'orders:write': 'Entwürfe anlegen und zur Zahlung schicken; Bestellungen versenden, ändern und stornieren.',
    'payments:read': 'Zahlungen, Erstattungen und ihre Versuche sehen.',
    'payments:write': 'Zahlungen einziehen und freigeben und vermerken, dass Geld kam.',
    'refunds:write': 'Geld erstatten.',
    'customers:read': 'Die Kundschaft sehen, mit ihren Adressen.',
    'customers:write': 'Die Kundschaft ändern und löschen.',
    'personal_data:read': 'Alles herausgeben, was über einen Menschen bekannt ist, und sehen, was gelöscht wurde.',
    'personal_data:write': 'Daten von Menschen löschen und versiegelte Rechnungen derer öffnen, die gelöscht wurden.',
    'analytics:read': 'Auswertungen sehen: was verkauft wurde und wie weit Besuche kamen.',
    'reviews:read': 'Sehen, was die Kundschaft von Produkten hält, bevor es andere tun.',
    'reviews:write': 'Bewertungen zeigen oder nicht, beantworten und löschen.',
    'webhooks:read': 'Webhook-Ziele und ihre Zustellungen sehen.',
    'webhooks:write': 'Webhook-Ziele anlegen, ändern, prüfen und löschen und Zustellungen wiederholen.',
    'events:read': 'Die Ereignisse der letzten 30 Tage sehen.',
    'store:read': 'Den Shop sehen: Name, Adresse, Tarif, Zustand und Einstellungen.',
    'store:write': 'Name, Währungen, Aussehen und andere Einstellungen des Shops ändern.',
    'domains:read': 'Die eigenen Domains des Shops sehen und die Einträge, die sie brauchen.',
    'domains:write': 'Domains hinzufügen, prüfen und entfernen und sagen, unter welcher der Shop steht.',
    'store:export': 'Alle Daten des Shops herausgeben.',
    'staff:read': 'Sehen, wer zum Shop gehört, Einladungen und eigene Rollen.',
    'staff:write': 'Menschen einladen und entfernen, ihre Rollen ändern und eigene Rollen anlegen.',
    'keys:read': 'API-Schlüssel sehen (nie ihre Geheimnisse).',
    'keys:write': 'API-Schlüssel anlegen, ändern, ersetzen und widerrufen.',
    'audit:read': 'Sehen, wer was wann und von wo aus tat.',
    'requests:read': 'Die Aufrufe der API sehen, mit dem, was darin gesagt wurde, und sie ohne Wirkung wiederholen.',
    'usage:read': 'Sehen, was der Shop von seinem Tarif nutzt.',
  },
};

/** Gives what a permission allows, in one's language. */
export function usePermissionText(): (permission: { name: Permission; description: string }) => string {
  const { language } = useLanguage();
  return ({ name, description }) => (language === 'en' ? description : texts[language][name]);
}
