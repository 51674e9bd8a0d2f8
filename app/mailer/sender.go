package mailer

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// sender is in whose name a mail is written.
type sender struct {
	brand  mail.Brand
	says   mailtemplates.Set
	locale string         // of its recipients, unless the letter knows better
	store  string         // empty for the platform
	mode   principal.Mode // which side of the store
}

// platformColor is the accent of the platform's own mails.
const platformColor = stores.DefaultAccent

// platform is the sender of the platform's own mails.
func (m *Mailer) platform() sender {
	return sender{locale: "en", mode: principal.Live, brand: mail.Brand{
		Name: m.config.Name, URL: m.config.Site.String(), Color: platformColor, Imprint: imprint(m.config.Name, m.config.Site),
	}}
}

// sender finds in whose name a mail of a kind is written, and what it says: the context's
// store's, or else that of the store with this ID, or else the platform's.
func (m *Mailer) sender(ctx context.Context, storeID string, kind mail.Kind) (sender, error) {
	ref, within := postgres.StoreFrom(ctx)
	if !within && storeID == "" {
		return m.platform(), nil
	}
	if !within {
		ref = postgres.StoreRef{ID: storeID, Mode: principal.Live}
	}
	store, err := m.config.Stores.ByID(ctx, ref.ID, ref.Mode)
	if err != nil {
		return sender{}, err
	}
	var settings stores.Settings
	var mark themes.Mark
	var says mailtemplates.Set
	err = m.config.DB.InStore(postgres.WithStore(ctx, store.Ref), func(ctx context.Context, tx *postgres.Tx) error {
		if settings, err = m.config.Stores.Settings(ctx, tx); err != nil {
			return err
		}
		if mark, err = themes.ReadMark(ctx, tx); err != nil {
			return err
		}
		says, err = mailtemplates.Of(ctx, tx, kind)
		return err
	})
	if err != nil {
		return sender{}, err
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		zone = time.UTC // no mail waits for a clock
	}
	shop, err := url.Parse(m.config.ShopURL(&store) + "/")
	if err != nil {
		return sender{}, err
	}
	var logo mail.Logo
	if mark.Logo != nil {
		logo = mail.Logo{URL: shop.JoinPath(mark.Logo.Path).String(), Width: mark.Logo.Width, Height: mark.Logo.Height}
	}
	return sender{
		store: store.ID, mode: store.Ref.Mode, locale: settings.Locale, says: says,
		brand: mail.Brand{
			Name: settings.Name, URL: shop.String(), Color: mark.Color, Logo: logo, Email: settings.ContactEmail, Zone: zone,
			Imprint: imprint(cmp.Or(says.Seller(), settings.Name), shop),
		},
	}, nil
}

// imprint is the line that mails end with: who writes, and where.
func imprint(who string, site *url.URL) string { return who + " · " + site.Hostname() }
