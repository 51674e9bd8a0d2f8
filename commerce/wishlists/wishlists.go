// Package wishlists is what customers note to buy some day: several lists, of products and of
// their variants, which they may show to others by a link that nobody guesses. What is gone
// from the shop stays on the list under the name that it had, and is told to be gone.
package wishlists

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Bounds of what a customer has.
const (
	maxLists = 20
	maxItems = 200
	maxName  = 120
)

// Item is something on a list.
type Item struct {
	ID        string    `json:"id"`
	ProductID string    `json:"product_id"`
	VariantID string    `json:"variant_id,omitempty"` // empty: whichever
	Title     string    `json:"title"`                // that the product had
	AddedAt   time.Time `json:"added_at"`
}

// kept is what there is of a list.
type kept struct {
	customerID string
	name       string
	items      []Item
	share      *string
}

// told is a list in short, as events tell of one.
func (k kept) told(id string) map[string]any {
	return map[string]any{"id": id, "customer_id": k.customerID, "shared": k.share != nil, "item_count": len(k.items)}
}

func called(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", problem.New(problem.Unprocessable, "wishlist_invalid", "The wishlist cannot be like this.").
			At("/name", "maxLength", "A name is one line of 1 to %d characters.", maxName)
	}
	return name, nil
}

// Create makes a list of a customer's. Their row is locked, so that no more lists than there
// may be are made at once.
func Create(ctx context.Context, tx *postgres.Tx, customerID, name string) (string, error) {
	name, err := called(name)
	if err != nil {
		return "", err
	}
	var n int
	err = tx.QueryRow(ctx, `select 1 from customers where id = $1 for update`, customerID).Scan(&n)
	if err == nil {
		err = tx.QueryRow(ctx, `select count(*) from wishlists where customer_id = $1`, customerID).Scan(&n)
	}
	if err == nil && n >= maxLists {
		return "", problem.New(problem.Conflict, "too_many_wishlists", "There are %d wishlists, and may be no more.", n)
	}
	id := ids.New("wish")
	if err == nil {
		_, err = tx.Exec(ctx, `insert into wishlists (id, customer_id, name) values ($1, $2, $3)`, id, customerID, name)
	}
	if err != nil {
		return "", fmt.Errorf("make a wishlist: %w", err)
	}
	k := kept{customerID: customerID, name: name}
	journal.Event(ctx, tx, "wishlist.created", id, k.told(id))
	journal.Audit(ctx, tx, journal.Entry{Action: "wishlist.create", ObjectID: id})
	return id, nil
}

func lock(ctx context.Context, tx *postgres.Tx, id, customerID string, meant int) (kept, error) {
	k, version := kept{customerID: customerID}, 0
	err := tx.QueryRow(ctx, `select name, items, share_token, version from wishlists where id = $1 and customer_id = $2 for update`, id, customerID).Scan(&k.name, &k.items, &k.share, &version)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return k, problem.Missing("wishlist")
	case err != nil:
		return k, fmt.Errorf("lock wishlist %s: %w", id, err)
	}
	return k, problem.Outdated(version, meant)
}

func (k kept) write(ctx context.Context, tx *postgres.Tx, id, action string) error {
	_, err := tx.Exec(ctx, `update wishlists set name = $2, items = $3, share_token = $4, version = version + 1, updated_at = now() where id = $1`, id, k.name, k.items, k.share)
	if err != nil {
		return fmt.Errorf("change wishlist %s: %w", id, err)
	}
	journal.Event(ctx, tx, "wishlist.updated", id, k.told(id))
	journal.Audit(ctx, tx, journal.Entry{Action: action, ObjectID: id, After: map[string]any{"shared": k.share != nil, "item_count": len(k.items)}})
	return nil
}

// Change is what is to be different about a list; nil leaves a thing as it is.
type Change struct {
	Name   *string
	Shared *bool // whether others see it by its link; a link that was taken back never works again
}

// Update changes a customer's list. Version, here and below, is the one that the change is
// meant for, or 0.
func Update(ctx context.Context, tx *postgres.Tx, id, customerID string, c Change, version int) error {
	k, err := lock(ctx, tx, id, customerID, version)
	if err != nil {
		return err
	}
	if c.Name != nil {
		if k.name, err = called(*c.Name); err != nil {
			return err
		}
	}
	switch {
	case c.Shared == nil:
	case !*c.Shared:
		k.share = nil
	case k.share == nil:
		secret := token.New("wl")
		k.share = &secret
	}
	return k.write(ctx, tx, id, "wishlist.update")
}

// Delete deletes a customer's list.
func Delete(ctx context.Context, tx *postgres.Tx, id, customerID string, version int) error {
	if _, err := lock(ctx, tx, id, customerID, version); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from wishlists where id = $1`, id); err != nil {
		return fmt.Errorf("delete wishlist %s: %w", id, err)
	}
	journal.Event(ctx, tx, "wishlist.deleted", id, map[string]string{"id": id})
	journal.Audit(ctx, tx, journal.Entry{Action: "wishlist.delete", ObjectID: id})
	return nil
}

// shownSQL finds a product that the shop shows, by its handle or ID, and a variant of it.
const shownSQL = `select p.id, p.title, $2 = '' or exists (select from variants v where v.product_id = p.id and v.id = $2)
from products p where (p.handle = $1 or p.id = $1) and ` + catalog.Published

// Add puts a product, or one of its variants, on a customer's list. What is on it already
// stays as it is.
func Add(ctx context.Context, tx *postgres.Tx, id, customerID, product, variant string) error {
	k, err := lock(ctx, tx, id, customerID, 0)
	if err != nil {
		return err
	}
	item, known := Item{ID: ids.New("wit"), VariantID: variant, AddedAt: clock.Now().UTC()}, false
	err = tx.QueryRow(ctx, shownSQL, product, variant).Scan(&item.ProductID, &item.Title, &known)
	unknown := problem.New(problem.Unprocessable, "unknown_reference", "The shop does not have this.")
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return unknown.At("/product_id", "unknown_reference", "There is no such product.")
	case err != nil:
		return fmt.Errorf("put on wishlist %s: %w", id, err)
	case !known:
		return unknown.At("/variant_id", "unknown_reference", "The product has no such variant.")
	case slices.ContainsFunc(k.items, func(i Item) bool { return i.ProductID == item.ProductID && i.VariantID == item.VariantID }):
		return nil
	case len(k.items) >= maxItems:
		return problem.New(problem.Conflict, "wishlist_full", "There are %d things on the wishlist, and may be no more.", len(k.items))
	}
	k.items = append(k.items, item)
	return k.write(ctx, tx, id, "wishlist.add")
}

// Remove takes something off a customer's list.
func Remove(ctx context.Context, tx *postgres.Tx, id, customerID, item string) error {
	k, err := lock(ctx, tx, id, customerID, 0)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(k.items, func(i Item) bool { return i.ID == item })
	if at < 0 {
		return problem.Missing("thing on the wishlist")
	}
	k.items = slices.Delete(k.items, at, at+1)
	return k.write(ctx, tx, id, "wishlist.remove")
}
