package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Undo is what undoes that a product was made or revised. It is to be kept as JSON.
type Undo struct {
	Made       bool             `json:"made,omitempty"` // it was made, and is deleted
	Left       string           `json:"left"`           // a digest of what was left of it: what differs has changed since
	Product    *product         `json:"product,omitempty"`
	Variants   []*variant       `json:"variants,omitempty"` // as they were, of those that were changed
	Added      []VariantID      `json:"added,omitempty"`
	Stock      []inventory.Line `json:"stock,omitempty"`      // that came, or went
	Pictures   []ImageID        `json:"pictures,omitempty"`   // that were added
	Categories []CategoryID     `json:"categories,omitempty"` // that were made on the way
}

// Undo is what undoes the revision, and a change of stock beside it.
func (r *Revised) Undo(stock []inventory.Line, pictures []ImageID) Undo {
	u := Undo{Left: r.after.digest(), Product: r.before.product, Added: r.Added(), Stock: stock, Pictures: pictures}
	for i, v := range r.before.Variants {
		if after := r.after.Variants[i]; after != v {
			u.Variants = append(u.Variants, v)
		}
	}
	return u
}

// digest is one of all that a product says, but for what comes by itself: its stock, its
// pictures, and when it was first shown.
func (w whole) digest() string {
	p := *w.product
	p.Version, p.PublishedAt = 0, time.Time{}
	p.Tags, p.Options = append([]string{}, p.Tags...), append([]Option{}, p.Options...)
	if len(p.CustomFields) == 0 {
		p.CustomFields = nil
	}
	variants := make([]variant, len(w.Variants))
	for i, of := range w.Variants {
		v := *of
		v.ImageID = ""
		v.Choices, v.Prices = append([]string{}, v.Choices...), append([]Price{}, v.Prices...)
		slices.SortFunc(v.Prices, func(a, b Price) int { return strings.Compare(a.Currency, b.Currency) })
		if len(v.CustomFields) == 0 {
			v.CustomFields = nil
		}
		variants[i] = v
	}
	slices.SortFunc(variants, func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), strings.Compare(string(a.ID), string(b.ID)))
	})
	raw, err := json.Marshal([]any{p, variants})
	if err != nil { // texts and numbers
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// Unrevise undoes that products were made or revised. What has changed since stays as it is.
// What was made is deleted for good, with its pictures; so are categories that were made on
// the way, once nothing is in them. Note goes with changes of stock.
func (s *Service) Unrevise(ctx context.Context, tx *postgres.Tx, ids []ProductID, undos []json.RawMessage, note string) ([]Done, error) {
	docs := make([]Undo, len(ids))
	for i := range ids {
		if err := json.Unmarshal(undos[i], &docs[i]); err != nil {
			return nil, fmt.Errorf("read what undoes %s: %w", ids[i], err)
		}
	}
	if err := stores.Alone(ctx, tx); err != nil {
		return nil, err
	}
	known, err := knownByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	done := make([]Done, len(ids))
	var made []ProductID
	var changed []*Undo
	var categories []CategoryID
	for i, id := range ids {
		k := known[id]
		switch {
		case k == nil:
			done[i].Err = problem.Missing("product")
		case (whole{k.product, k.variants}).digest() != docs[i].Left:
			done[i].Err = changedSince()
		case docs[i].Made:
			made = append(made, id)
		default:
			done[i].Changed = true
			changed = append(changed, &docs[i])
		}
	}
	if err := s.unmake(ctx, tx, made, ids, done); err != nil {
		return nil, err
	}
	if err := s.putBack(ctx, tx, changed, known, note); err != nil {
		return nil, err
	}
	for i, doc := range docs {
		if done[i].Err == nil {
			categories = append(categories, doc.Categories...)
		}
	}
	return done, s.clear(ctx, tx, categories)
}

// unmake deletes products that were made, with their files.
func (s *Service) unmake(ctx context.Context, tx *postgres.Tx, made, ids []ProductID, done []Done) error {
	if len(made) == 0 {
		return nil
	}
	removed, err := s.RemoveProducts(ctx, tx, made)
	if err != nil {
		return err
	}
	for i, id := range made {
		if undo := removed[i].Undo; undo != nil {
			if err := ForgetRemoved(tx, []json.RawMessage{undo}); err != nil {
				return err
			}
		}
		at := slices.Index(ids, id)
		done[at] = Done{Err: removed[i].Err, Changed: removed[i].Changed, Deleted: true}
	}
	return nil
}

// putBack gives products that were revised what they were. Stock comes before a variant may
// cease to be oversold, and goes after it may begin to be.
func (s *Service) putBack(ctx context.Context, tx *postgres.Tx, docs []*Undo, known map[ProductID]*Known, note string) error {
	var added []VariantID
	var pictures []ImageID
	var revised []*Revised
	var come, goes []inventory.Line
	for _, doc := range docs {
		added, pictures = append(added, doc.Added...), append(pictures, doc.Pictures...)
		revised = append(revised, doc.revised(known[doc.Product.ID]))
		for _, line := range doc.Stock {
			if line.Quantity = -line.Quantity; line.Quantity > 0 {
				come = append(come, line)
			} else {
				goes = append(goes, line)
			}
		}
	}
	if err := s.removeAdded(ctx, tx, added); err != nil {
		return err
	}
	if err := adjustStock(ctx, tx, come, note); err != nil {
		return err
	}
	if err := clearCategories(ctx, tx, revised); err != nil {
		return err
	}
	if err := s.SaveRevised(ctx, tx, revised); err != nil {
		return err
	}
	if err := adjustStock(ctx, tx, goes, note); err != nil {
		return err
	}
	return s.removePictures(ctx, tx, pictures)
}

// revised is a known product as it was before, without the variants that were added.
func (u *Undo) revised(k *Known) *Revised {
	was := *u.Product
	was.tidy()
	was.Version = k.product.Version
	r := &Revised{product: true, after: whole{product: &was}, before: whole{product: k.product}}
	for _, now := range k.variants {
		if slices.Contains(u.Added, now.ID) {
			continue
		}
		r.before.Variants, r.after.Variants = append(r.before.Variants, now), append(r.after.Variants, now)
		at := slices.IndexFunc(u.Variants, func(v *variant) bool { return v.ID == now.ID })
		if at < 0 {
			continue
		}
		v := u.Variants[at]
		if !slices.ContainsFunc(k.Images, func(i KnownImage) bool { return i.ID == v.ImageID }) {
			v.ImageID = ""
		}
		r.after.Variants[len(r.after.Variants)-1] = v
		r.changed = append(r.changed, v)
		if !reflect.DeepEqual(append([]Price{}, v.Prices...), append([]Price{}, now.Prices...)) {
			r.prices = append(r.prices, v)
		}
	}
	return r
}

func (s *Service) removeAdded(ctx context.Context, tx *postgres.Tx, added []VariantID) error {
	if len(added) == 0 {
		return nil
	}
	removed, err := s.RemoveVariants(ctx, tx, added)
	if err != nil {
		return err
	}
	for _, r := range removed {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func adjustStock(ctx context.Context, tx *postgres.Tx, lines []inventory.Line, note string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{Reason: inventory.Imported, Note: note, Lines: inventory.Change(lines)})
	return err
}

// clearCategories has products be in none where theirs is gone.
func clearCategories(ctx context.Context, tx *postgres.Tx, revised []*Revised) error {
	var wanted []string
	for _, r := range revised {
		wanted = append(wanted, string(r.after.CategoryID))
	}
	rows, err := tx.Query(ctx, `select id from categories where id = any($1)`, wanted)
	if err != nil {
		return fmt.Errorf("look for categories: %w", err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[CategoryID])
	if err != nil {
		return fmt.Errorf("look for categories: %w", err)
	}
	for _, r := range revised {
		if !slices.Contains(there, r.after.CategoryID) {
			r.after.CategoryID = ""
		}
	}
	return nil
}

// removePictures takes pictures away from products, which are locked.
func (s *Service) removePictures(ctx context.Context, tx *postgres.Tx, pictures []ImageID) error {
	if len(pictures) == 0 {
		return nil
	}
	var rows []*image
	if err := tx.Bun.NewDelete().Model(&rows).Where("i.id = any(?)", pgArray(pictures)).Returning("*").Scan(ctx); err != nil {
		return fmt.Errorf("delete images: %w", err)
	}
	deleteFiles(tx, rows...)
	for _, row := range rows {
		journal.Audit(ctx, tx, journal.Entry{Action: "image.delete", ObjectID: string(row.ID), Before: row})
	}
	_, err := tx.Exec(ctx, `with places as (
			select id, row_number() over (partition by product_id order by position, id) - 1 as place from images where product_id = any($2)
		), placed as (
			update images i set position = p.place from places p where i.id = p.id and i.position <> p.place
		)
		update variants set image_id = null where image_id = any($1)`, pictures, productsOf(rows))
	if err != nil {
		return fmt.Errorf("place images: %w", err)
	}
	return nil
}

// pgArray writes IDs as Postgres reads an array of them.
func pgArray[ID ~string](ids []ID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	return "{" + strings.Join(list, ",") + "}"
}

func productsOf(images []*image) []ProductID {
	list := make([]ProductID, len(images))
	for i, row := range images {
		list[i] = row.ProductID
	}
	return list
}

// clear deletes categories in which there is nothing, those below before those above.
func (s *Service) clear(ctx context.Context, tx *postgres.Tx, categories []CategoryID) error {
	for len(categories) > 0 {
		var empty CategoryID
		err := tx.QueryRow(ctx, `select coalesce(max(c.id), '') from categories c where c.id = any($1)
			and not exists (select from categories b where b.parent_id = c.id) and not exists (select from products p where p.category_id = c.id)`, categories).Scan(&empty)
		if err != nil {
			return fmt.Errorf("look for empty categories: %w", err)
		}
		if empty == "" {
			return nil
		}
		if err := s.DeleteCategory(ctx, tx, empty, 0); err != nil {
			return err
		}
		categories = slices.DeleteFunc(categories, func(id CategoryID) bool { return id == empty })
	}
	return nil
}
