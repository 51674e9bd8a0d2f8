package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// fill puts everything into a store that is new, and asks for its pictures; it says how
// many are still to be drawn. A store whose settings were changed since its birth has been
// filled already, as they change with the rest.
func (s *Seeder) fill(ctx context.Context, want *shop, store *tenants.Store) (undrawn int, err error) {
	err = s.DB.InStore(postgres.WithStore(ctx, store.Ref), func(ctx context.Context, tx *postgres.Tx) error {
		if err := stores.Alone(ctx, tx); err != nil {
			return err
		}
		now, err := s.Stores.Settings(ctx, tx)
		if err != nil {
			return err
		}
		if now.Version == 1 {
			if err := s.furnish(ctx, tx, want); err != nil {
				return err
			}
			made, err := s.stack(ctx, tx, want)
			if err != nil {
				return err
			}
			if err := dress(ctx, tx, want, made); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, `select count(*) from images where state = 'pending'`).Scan(&undrawn)
	})
	return undrawn, err
}

// furnish sets the store up.
func (s *Seeder) furnish(ctx context.Context, tx *postgres.Tx, want *shop) error {
	currencies := []string{want.birth.Currency}
	for _, r := range want.others {
		currencies = append(currencies, r.currency)
	}
	_, err := s.Stores.ChangeSettings(ctx, tx, stores.SettingsChange{
		Description: &want.description, Locale: &want.locale, AccentColor: &want.accent, Currencies: currencies,
	})
	if err != nil {
		return err
	}
	seller := &want.seller
	if err := documents.UpdateInvoicing(ctx, tx, 0, documents.InvoicingPatch{Address: &seller}); err != nil {
		return err
	}
	var standard settings.ShippingMethodID
	if err := tx.QueryRow(ctx, `select id from shipping_methods`).Scan(&standard); err != nil {
		return fmt.Errorf("find the first shipping method: %w", err)
	}
	if err := settings.DeleteShippingMethod(ctx, tx, standard, 0); err != nil {
		return err
	}
	for _, a := range want.shipping {
		zone := settings.ZoneInput{Name: a.name}
		for _, country := range a.countries {
			zone.Territories = append(zone.Territories, territory.Territory{Country: country})
		}
		id, err := settings.CreateShippingZone(ctx, tx, zone)
		if err != nil {
			return fmt.Errorf("shipping zone %s: %w", a.name, err)
		}
		for _, p := range a.ways {
			in := settings.ShippingInput{Zone: id, Name: p.name, Description: p.description, Prices: want.shippingPrices(p), Pickup: p.pickup, Active: true}
			if _, err := settings.CreateShippingMethod(ctx, tx, in); err != nil {
				return fmt.Errorf("shipping method %s: %w", p.name, err)
			}
		}
	}
	for _, tax := range want.taxes {
		if _, err := settings.CreateTaxRate(ctx, tx, tax); err != nil {
			return fmt.Errorf("tax of %s: %w", tax.Country, err)
		}
	}
	return nil
}

// shippingPrices are what a way to send costs, in all currencies of the shop.
func (s *shop) shippingPrices(p parcel) []settings.ShippingPrice {
	amounts, thresholds := s.price(p.price), s.price(p.freeFrom)
	prices := make([]settings.ShippingPrice, len(amounts))
	for i, m := range amounts {
		prices[i] = settings.ShippingPrice{Currency: m.Currency, Amount: m.Amount}
		if p.freeFrom > 0 {
			prices[i].FreeFrom = &thresholds[i].Amount
		}
	}
	return prices
}

// dress gives the store its theme, and publishes it.
func dress(ctx context.Context, tx *postgres.Tx, want *shop, made map[string]string) error {
	for _, a := range want.pages {
		if err := write(ctx, tx, content.Page, made, object{"title": a.title, "purpose": a.purpose, "body_html": a.text, "published_at": clock.Now()}); err != nil {
			return err
		}
	}
	for i, a := range slices.Backward(want.posts) {
		day := clock.Now().AddDate(0, 0, -9*i-2)
		if err := write(ctx, tx, content.Post, made, object{"title": a.title, "excerpt": a.excerpt, "body_html": a.text, "published_at": day}); err != nil {
			return err
		}
	}
	patch, err := json.Marshal(want.look(made))
	if err != nil {
		return err
	}
	if err := themes.Update(ctx, tx, 0, patch); err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	return themes.Publish(ctx, tx, 0)
}

// write makes a page or a post.
func write(ctx context.Context, tx *postgres.Tx, kind content.Kind, made map[string]string, fields object) error {
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	title := fields["title"].(string)
	if made[title], err = content.Create(ctx, tx, kind, raw); err != nil {
		return fmt.Errorf("%s %s: %w", kind, title, err)
	}
	return nil
}

// stack makes the products on their shelves and their collections, and asks for their
// pictures. It gives the IDs of products by their handles, and of collections by their names.
func (s *Seeder) stack(ctx context.Context, tx *postgres.Tx, want *shop) (map[string]string, error) {
	shelves, err := s.build(ctx, tx, want)
	if err != nil {
		return nil, err
	}
	goods := slices.Clone(want.goods)
	slices.Reverse(goods) // what is made last is the newest
	inputs, variants := make([]catalog.ProductInput, len(goods)), make([][]variant, len(goods))
	for i := range goods {
		variants[i] = goods[i].variants(want)
		inputs[i] = goods[i].product(want, variants[i])
		inputs[i].CategoryID = shelves[way(goods[i].in...)]
	}
	made, err := s.Catalog.CreateProducts(ctx, tx, inputs)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for i, m := range made {
		if m.Err != nil {
			return nil, fmt.Errorf("product %s: %w", goods[i].handle, m.Err)
		}
		ids[goods[i].handle] = string(m.ID)
	}
	for _, c := range slices.Backward(want.collections) {
		in := catalog.CollectionInput{Name: c.name, Description: c.description}
		for _, handle := range c.handles {
			in.Products = append(in.Products, catalog.ProductID(ids[handle]))
		}
		id, err := s.Catalog.CreateCollection(ctx, tx, in)
		if err != nil {
			return nil, fmt.Errorf("collection %s: %w", c.name, err)
		}
		ids[c.name] = string(id)
	}
	return ids, s.ask(ctx, tx, want, goods, variants, made)
}

// build makes the categories, and gives them by the names on the way to each.
func (s *Seeder) build(ctx context.Context, tx *postgres.Tx, want *shop) (map[string]catalog.CategoryID, error) {
	made := map[string]catalog.CategoryID{}
	for _, shelf := range want.shelves {
		top, err := s.Catalog.CreateCategory(ctx, tx, catalog.CategoryInput{Name: shelf.name, Description: shelf.description})
		if err != nil {
			return nil, fmt.Errorf("category %s: %w", shelf.name, err)
		}
		made[way(shelf.name)] = top
		for _, name := range shelf.below {
			id, err := s.Catalog.CreateCategory(ctx, tx, catalog.CategoryInput{Name: name, ParentID: top})
			if err != nil {
				return nil, fmt.Errorf("category %s: %w", name, err)
			}
			made[way(shelf.name, name)] = id
		}
	}
	return made, nil
}

// way is the way to a category as a key.
func way(names ...string) string { return fmt.Sprint(names) }

// laterViews is how long the pictures wait that only a product's own page shows, so that the
// lists of all stores are complete before them.
const laterViews = 5 * time.Second

// ask asks for the pictures: those that a list of products shows first, and the newest
// products' before the others'.
func (s *Seeder) ask(ctx context.Context, tx *postgres.Tx, want *shop, goods []good, variants [][]variant, made []catalog.Made) error {
	var images []catalog.PendingImage
	var asked []drawing
	for i, m := range slices.Backward(made) {
		g := &goods[i]
		for n := range g.pictures() {
			images = append(images, catalog.PendingImage{ProductID: m.ID, Alt: g.alt(n)})
			d := drawing{Shop: want.birth.Address, Handle: g.handle, Nth: n, Product: m.ID}
			for j, v := range variants[i] {
				if v.picture == n {
					d.Variants = append(d.Variants, m.Variants[j])
				}
			}
			asked = append(asked, d)
		}
	}
	ids, err := s.Catalog.AddPendingImages(ctx, tx, images)
	if err != nil {
		return err
	}
	for i := range asked {
		asked[i].Image = ids[i]
	}
	for _, d := range asked {
		due := clock.Now()
		if d.Nth > 0 {
			due = due.Add(laterViews)
		}
		journal.JobAt(tx, due, jobDraw, d)
	}
	return nil
}

// alt says what is to be seen on a picture.
func (g *good) alt(nth int) string {
	for _, o := range g.options {
		for _, c := range o.choices {
			if c.picture == nil {
				continue
			}
			if nth == 0 {
				return g.title + ", " + c.name
			}
			nth--
		}
	}
	return g.title
}
