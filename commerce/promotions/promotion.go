package promotions

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// The bounds of promotions.
const (
	MaxActive    = 200     // that are active at once in a store: each basket is held against all automatic ones
	maxTitle     = 255     // characters
	maxSelected  = 1_000   // IDs and tags of one selection
	maxQuantity  = 9_999   // of a buy-x-get-y and of a minimum
	maxUses      = 1 << 40 // of a promotion or code
	maxAmount    = 999_999_999_999
	wholeRateBPS = 10_000
)

// ID names a promotion.
type ID string

// Input is a promotion to be made.
type Input struct {
	Rule          Rule // without an ID and a code
	Automatic     bool
	Active        bool
	StartsAt      *time.Time // now when nil
	EndsAt        *time.Time
	UsageLimit    *int64
	CustomerLimit *int64
	Codes         []string // of one that is not automatic
}

// Patch changes a promotion; what is nil stays. A pointer to nil takes a bound away.
type Patch struct {
	Rule          func(*Rule) // changes what it is given
	Active        *bool
	StartsAt      *time.Time
	EndsAt        **time.Time
	UsageLimit    **int64
	CustomerLimit **int64
}

// promotion is a row of promotions, and what the audit keeps of one.
type promotion struct {
	bun.BaseModel `bun:"table:promotions,alias:p" json:"-"`

	ID            ID         `bun:"id,pk" json:"id"`
	Title         string     `bun:"title" json:"title"`
	Automatic     bool       `bun:"automatic" json:"automatic"`
	Rule          Rule       `bun:"rule,type:json" json:"rule"`
	Active        bool       `bun:"active" json:"active"`
	StartsAt      time.Time  `bun:"starts_at,nullzero,default:now()" json:"starts_at"`
	EndsAt        *time.Time `bun:"ends_at" json:"ends_at"`
	UsageLimit    *int64     `bun:"usage_limit" json:"usage_limit"`
	CustomerLimit *int64     `bun:"customer_limit" json:"customer_limit"`
	Used          int64      `bun:"used,scanonly" json:"-"`
	Version       int        `bun:"version" json:"version"`
	CreatedAt     time.Time  `bun:"created_at" json:"-"`
	UpdatedAt     time.Time  `bun:"updated_at" json:"-"`
}

// told is the promotion in the words of the contract, for the audit.
func (p *promotion) told() any {
	amounts := func(of map[string]int64) []money.Money {
		list := []money.Money{}
		for _, currency := range slices.Sorted(maps.Keys(of)) {
			list = append(list, money.New(of[currency], currency))
		}
		return list
	}
	r := p.Rule
	return map[string]any{
		"id": p.ID, "title": p.Title, "automatic": p.Automatic, "active": p.Active, "starts_at": p.StartsAt, "ends_at": p.EndsAt,
		"usage_limit": p.UsageLimit, "customer_limit": p.CustomerLimit, "version": p.Version,
		"kind": r.Kind, "class": r.Class, "percentage": money.BasisPoints(r.RateBPS).Percent(), "amounts": amounts(r.Amounts), "each": r.Each,
		"items": r.Items, "buys": r.Buys, "buy_quantity": r.BuyQuantity, "get_quantity": r.GetQuantity, "max_uses_per_order": r.MaxUses,
		"minimum_amounts": amounts(r.MinimumAmounts), "minimum_quantity": r.MinimumQuantity, "first_order": r.FirstOrder,
		"customer_group_ids": r.GroupIDs, "combines_with": r.Combines,
	}
}

func (p *promotion) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_promotion", "The promotion cannot be kept as it is.")
	p.Title = strings.TrimSpace(p.Title)
	if n := len([]rune(p.Title)); n < 1 || n > maxTitle {
		wrong.At("/title", "out_of_range", "A title has 1 to %d characters.", maxTitle)
	}
	p.Rule.Title = p.Title
	p.Rule.check(wrong)
	if p.EndsAt != nil && !p.EndsAt.After(p.StartsAt) {
		wrong.At("/ends_at", "out_of_range", "It ends after it starts.")
	}
	for pointer, limit := range map[string]*int64{"/usage_limit": p.UsageLimit, "/customer_limit": p.CustomerLimit} {
		if limit != nil && (*limit < 1 || *limit > maxUses) {
			wrong.At(pointer, "out_of_range", "A limit is at least 1.")
		}
	}
	if p.UsageLimit != nil && *p.UsageLimit < p.Used {
		wrong.At("/usage_limit", "out_of_range", "It was used %d times already.", p.Used)
	}
	return wrong.OrNil()
}

// check notes what is wrong with the rule, and clears what does not belong to its kind.
func (r *Rule) check(wrong *problem.Problem) {
	clean := Rule{
		Title: r.Title, Kind: r.Kind, Class: r.Class, MinimumAmounts: r.MinimumAmounts, MinimumQuantity: r.MinimumQuantity,
		FirstOrder: r.FirstOrder, GroupIDs: sorted(r.GroupIDs), Combines: r.Combines,
	}
	switch r.Kind {
	case Percentage:
		clean.RateBPS, clean.Items = r.RateBPS, r.Items
		rate(wrong, "/percentage", r.RateBPS)
	case FixedAmount:
		clean.Amounts, clean.Each, clean.Items = r.Amounts, r.Each && r.Class == Products, r.Items
		amounts(wrong, "/amounts", r.Amounts, 1)
		if len(r.Amounts) == 0 {
			wrong.At("/amounts", "required", "There must be one.")
		}
	case FreeShipping:
		clean.Class = Shipping
	case BuyXGetY:
		clean.Class, clean.RateBPS, clean.Items, clean.Buys = Products, r.RateBPS, r.Items, r.Buys
		clean.BuyQuantity, clean.GetQuantity, clean.MaxUses = r.BuyQuantity, r.GetQuantity, r.MaxUses
		rate(wrong, "/percentage", r.RateBPS)
		quantity(wrong, "/buy_quantity", r.BuyQuantity, 1)
		quantity(wrong, "/get_quantity", r.GetQuantity, 1)
		quantity(wrong, "/max_uses_per_order", r.MaxUses, 0)
	default:
		wrong.At("/kind", "enum", "There is no such kind.")
	}
	if clean.Class != Shipping && clean.Class != Order && clean.Class != Products || clean.Class == Shipping && r.Kind != FreeShipping {
		wrong.At("/class", "enum", "It takes off products or the order.")
	}
	clean.Items.check(wrong, "/items")
	clean.Buys.check(wrong, "/buys")
	amounts(wrong, "/minimum_amounts", r.MinimumAmounts, 0)
	quantity(wrong, "/minimum_quantity", r.MinimumQuantity, 0)
	if len(r.GroupIDs) > maxSelected {
		wrong.At("/customer_group_ids", "out_of_range", "At most %d.", maxSelected)
	}
	clean.Combines = slices.DeleteFunc(slices.Clone(order), func(c Class) bool { return !slices.Contains(r.Combines, c) })
	if len(clean.Combines) == 0 {
		clean.Combines = nil
	}
	*r = clean
}

func (s *Selection) check(wrong *problem.Problem, at string) {
	for pointer, list := range map[string]*[]string{"product_ids": &s.ProductIDs, "variant_ids": &s.VariantIDs, "collection_ids": &s.CollectionIDs, "tags": &s.Tags} {
		if *list = sorted(*list); len(*list) > maxSelected {
			wrong.At(at+"/"+pointer, "out_of_range", "At most %d.", maxSelected)
		}
	}
}

func sorted(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

func rate(wrong *problem.Problem, at string, bps int64) {
	if bps < 1 || bps > wholeRateBPS {
		wrong.At(at, "out_of_range", "It is more than 0, and at most 100.")
	}
}

func quantity(wrong *problem.Problem, at string, n, least int64) {
	if n < least || n > maxQuantity {
		wrong.At(at, "out_of_range", "A quantity is %d to %d.", least, maxQuantity)
	}
}

func amounts(wrong *problem.Problem, at string, byCurrency map[string]int64, least int64) {
	for currency, amount := range byCurrency {
		if !money.Known(currency) {
			wrong.At(at, "currency", "There is no currency %q.", currency)
		}
		if amount < least || amount > maxAmount {
			wrong.At(at, "out_of_range", "An amount is %d to %d.", least, maxAmount)
		}
	}
}

// ByCurrency is one amount for each currency, as a rule has them; nil for none. Of two in one
// currency the second is refused.
func ByCurrency(at string, list []money.Money) (map[string]int64, error) {
	if len(list) == 0 {
		return nil, nil
	}
	found, wrong := map[string]int64{}, problem.New(problem.Unprocessable, "invalid_promotion", "The promotion cannot be kept as it is.")
	for i, m := range list {
		if _, there := found[m.Currency]; there {
			wrong.At(fmt.Sprintf("%s/%d/currency", at, i), "repeated", "There is an amount in %s already.", m.Currency)
		}
		found[m.Currency] = m.Amount
	}
	return found, wrong.OrNil()
}

// named is what an event tells of a promotion.
type named struct {
	ID    ID     `json:"id"`
	Title string `json:"title"`
}

// Create makes a promotion, with codes where it is not automatic.
func Create(ctx context.Context, tx *postgres.Tx, in Input) (ID, error) {
	now := clock.Now()
	p := &promotion{
		ID: ID(ids.New("prm")), Title: in.Rule.Title, Automatic: in.Automatic, Rule: in.Rule, Active: in.Active, StartsAt: now, EndsAt: in.EndsAt,
		UsageLimit: in.UsageLimit, CustomerLimit: in.CustomerLimit, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if in.StartsAt != nil {
		p.StartsAt = *in.StartsAt
	}
	if err := know(ctx, tx, &p.Rule, &Rule{}); err != nil {
		return "", err
	}
	if err := p.check(); err != nil {
		return "", err
	}
	if err := room(ctx, tx, p.Active); err != nil {
		return "", err
	}
	if in.StartsAt == nil {
		p.StartsAt = time.Time{} // by the database's clock, which judges it
	}
	if _, err := tx.Bun.NewInsert().Model(p).Exec(ctx); err != nil {
		return "", fmt.Errorf("insert promotion: %w", err)
	}
	journal.Event(ctx, tx, "promotion.created", string(p.ID), named{p.ID, p.Title})
	journal.Audit(ctx, tx, journal.Entry{Action: "promotion.create", ObjectID: string(p.ID), After: p.told()})
	if len(in.Codes) > 0 {
		if err := addCodes(ctx, tx, p, in.Codes, nil); err != nil {
			return "", err
		}
	}
	return p.ID, nil
}

// room refuses one more active promotion than a store may have. The settings' row stands
// for their number, so that two do not come in by one place.
func room(ctx context.Context, tx *postgres.Tx, active bool) error {
	if !active {
		return nil
	}
	return roomLeft(ctx, tx, MaxActive)
}

// roomLeft refuses when there are so many active promotions.
func roomLeft(ctx context.Context, tx *postgres.Tx, most int) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return fmt.Errorf("lock promotions: %w", err)
	}
	var n int
	if err := tx.QueryRow(ctx, `select count(*) from promotions where active and (ends_at is null or ends_at > now())`).Scan(&n); err != nil {
		return fmt.Errorf("count promotions: %w", err)
	}
	if n >= most {
		return problem.New(problem.Unprocessable, "promotion_limit", "A store has at most %d active promotions.", MaxActive).
			At("/active", "promotion_limit", "End one first, or make this one inactive.")
	}
	return nil
}

func lock(ctx context.Context, tx *postgres.Tx, id ID, meant int) (*promotion, error) {
	p := &promotion{}
	if err := tx.Hold(ctx, p, id, "promotion", postgres.ForNoKeyUpdate); err != nil {
		return nil, err
	}
	p.Rule.Title = p.Title
	return p, problem.Outdated(p.Version, meant)
}

// Update changes a promotion that has the version meant; zero is any. Carts get it as it is
// from then on.
func Update(ctx context.Context, tx *postgres.Tx, id ID, meant int, patch Patch) error {
	p, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *p
	if patch.Rule != nil {
		patch.Rule(&p.Rule)
		p.Title = p.Rule.Title
	}
	merge.Set(&p.Active, patch.Active)
	merge.Set(&p.StartsAt, patch.StartsAt)
	merge.Set(&p.EndsAt, patch.EndsAt)
	merge.Set(&p.UsageLimit, patch.UsageLimit)
	merge.Set(&p.CustomerLimit, patch.CustomerLimit)
	if err := know(ctx, tx, &p.Rule, &before.Rule); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *p) {
		return nil
	}
	if err := room(ctx, tx, p.Active && !before.Active); err != nil {
		return err
	}
	p.Version, p.UpdatedAt = p.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(p).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update promotion %s: %w", id, err)
	}
	journal.Event(ctx, tx, "promotion.updated", string(id), named{p.ID, p.Title})
	journal.Audit(ctx, tx, journal.Entry{Action: "promotion.update", ObjectID: string(id), Before: before.told(), After: p.told()})
	return nil
}

// Delete deletes a promotion with its codes. What it was used for stays with the orders.
func Delete(ctx context.Context, tx *postgres.Tx, id ID, meant int) error {
	p, err := lock(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	rows, err := tx.Keep(ctx, string(id), kept...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from promotions where id = $1`, id); err != nil {
		return fmt.Errorf("delete promotion %s: %w", id, err)
	}
	journal.Event(ctx, tx, "promotion.deleted", string(id), named{p.ID, p.Title})
	journal.Audit(ctx, tx, journal.Entry{Action: "promotion.delete", ObjectID: string(id), Before: p.told(), Kept: rows})
	return nil
}
