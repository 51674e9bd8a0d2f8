package settings

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// ShippingMethodID names a way to send orders.
type ShippingMethodID string

// maxAmount bounds prices, as in the catalogue.
const maxAmount = 999_999_999_999

// mostMethods is how many ways a store can have: they are all looked at in a checkout.
const mostMethods = 100

// The bounds of a price of sending.
const (
	mostTiers   = 50
	mostMeasure = 1_000_000_000_000
)

// ShippingPrice is what a way to send costs in a currency. Its JSON is that of the row.
type ShippingPrice struct {
	Currency string         `json:"-"`
	Amount   int64          `json:"amount"`
	FreeFrom *int64         `json:"free_from,omitempty"` // what the goods come to for it to cost nothing
	Tiers    []ShippingTier `json:"tiers,omitempty"`     // rising
}

// ShippingTier is what it costs from so much on, in the measure that the method is tiered by;
// it is not offered from there on when nil.
type ShippingTier struct {
	From   int64  `json:"from"`
	Amount *int64 `json:"amount"`
}

// CarrierRate names a rate of a carrier that says what a way to send costs.
type CarrierRate struct {
	Service rates.ServiceID
	Code    string
}

// ShippingInput is a way to send orders, to be made.
type ShippingInput struct {
	Zone        ShippingZoneID // everywhere when empty
	Name        string
	Description string
	TieredBy    string          // weight (in grams), price or quantity of the goods; empty for one price
	Prices      []ShippingPrice // once per currency; those that count where the carrier says nothing
	Carrier     *CarrierRate
	Pickup      *address.Address
	Active      bool
	Position    *int // last when nil
}

// ShippingPatch changes a way to send orders; what is nil stays.
type ShippingPatch struct {
	Zone                        *ShippingZoneID
	Name, Description, TieredBy *string
	Prices                      []ShippingPrice
	Carrier                     **CarrierRate     // to nil leaves the prices alone
	Pickup                      **address.Address // to nil has it sent
	Active                      *bool
	Position                    *int
}

// method is a row of shipping_methods, and what the audit keeps of one.
type method struct {
	bun.BaseModel `bun:"table:shipping_methods,alias:m" json:"-"`

	ID          ShippingMethodID         `bun:"id,pk" json:"id"`
	Zone        ShippingZoneID           `bun:"zone_id,nullzero" json:"zone_id,omitempty"`
	Name        string                   `bun:"name" json:"name"`
	Description string                   `bun:"description" json:"description"`
	TieredBy    string                   `bun:"tiered_by" json:"tiered_by"`
	Prices      map[string]ShippingPrice `bun:"prices,type:jsonb" json:"prices"`
	Carrier     rates.ServiceID          `bun:"carrier_service_id,nullzero" json:"carrier_service_id,omitempty"`
	CarrierRate string                   `bun:"carrier_rate,nullzero" json:"carrier_rate,omitempty"`
	Pickup      *address.Address         `bun:"pickup_address,type:jsonb" json:"pickup_address"`
	Position    int                      `bun:"position" json:"position"`
	Active      bool                     `bun:"active" json:"active"`
	Version     int                      `bun:"version" json:"version"`
	CreatedAt   time.Time                `bun:"created_at" json:"-"`
	UpdatedAt   time.Time                `bun:"updated_at" json:"-"`
}

// told is the method in the words of the contract, for the audit.
func (m method) told() any {
	type price struct {
		ShippingPrice
		Currency string `json:"currency"`
	}
	type carrier struct {
		Service rates.ServiceID `json:"service_id"`
		Rate    string          `json:"rate"`
	}
	told := struct {
		method
		Prices         []price  `json:"prices"`
		Carrier        *carrier `json:"carrier"`
		CarrierService string   `json:"carrier_service_id,omitempty"`
		CarrierRate    string   `json:"carrier_rate,omitempty"`
	}{method: m, Prices: []price{}}
	for _, currency := range slices.Sorted(maps.Keys(m.Prices)) {
		told.Prices = append(told.Prices, price{m.Prices[currency], currency})
	}
	if m.Carrier != "" {
		told.Carrier = &carrier{m.Carrier, m.CarrierRate}
	}
	return told
}

func (m *method) check(prices []ShippingPrice) error {
	wrong := problem.New(problem.Unprocessable, "invalid_shipping_method", "The shipping method cannot be kept as it is.")
	line(wrong, &m.Name, "/name", 1, 255)
	line(wrong, &m.Description, "/description", 0, 1000)
	if !slices.Contains([]string{"", "weight", "price", "quantity"}, m.TieredBy) {
		wrong.At("/tiered_by", "enum", "It is weight, price or quantity.")
	}
	if prices != nil || m.Prices == nil {
		m.Prices = map[string]ShippingPrice{}
	}
	for i, price := range prices {
		at := fmt.Sprintf("/prices/%d", i)
		if _, repeated := m.Prices[price.Currency]; repeated {
			wrong.At(at+"/currency", "repeated", "There is another price in %s.", price.Currency)
		}
		if !money.Known(price.Currency) {
			wrong.At(at+"/currency", "currency", "There is no currency %q.", price.Currency)
		}
		price.check(wrong, at)
		m.Prices[price.Currency] = price
	}
	if m.Carrier != "" {
		line(wrong, &m.CarrierRate, "/carrier/rate", 1, 64)
		if m.Pickup != nil {
			wrong.At("/carrier", "conflict", "What shoppers fetch needs no carrier.")
		}
	} else if len(m.Prices) == 0 {
		wrong.At("/prices", "required", "There must be one.")
	}
	for currency, price := range m.Prices {
		if len(price.Tiers) > 0 && m.TieredBy == "" {
			wrong.At("/tiered_by", "required", "The prices in %s have tiers: by what?", currency)
		}
	}
	if m.Pickup != nil {
		trimmed := m.Pickup.Trim()
		trimmed.Check(wrong, "/pickup_address")
		m.Pickup = &trimmed
	}
	return wrong.OrNil()
}

// carry sets which carrier's rate the method is, if any.
func (m *method) carry(ctx context.Context, tx *postgres.Tx, by *CarrierRate) error {
	if by == nil {
		m.Carrier, m.CarrierRate = "", ""
		return nil
	}
	m.Carrier, m.CarrierRate = by.Service, by.Code
	var there bool
	if err := tx.QueryRow(ctx, `select exists (select from rate_services where id = $1 and kind = 'carrier')`, by.Service).Scan(&there); err != nil {
		return fmt.Errorf("look for carrier %s: %w", by.Service, err)
	}
	if !there {
		return problem.New(problem.Unprocessable, "unknown_reference", "There is no such carrier.").At("/carrier/service_id", "unknown_reference", "There is no such carrier.")
	}
	return nil
}

func (p ShippingPrice) check(wrong *problem.Problem, at string) {
	amount := func(at string, n int64) {
		if n < 0 || n > maxAmount {
			wrong.At(at, "out_of_range", "A price is 0 to %d.", maxAmount)
		}
	}
	amount(at+"/amount", p.Amount)
	if p.FreeFrom != nil {
		amount(at+"/free_from", *p.FreeFrom)
	}
	if len(p.Tiers) > mostTiers {
		wrong.At(at+"/tiers", "maxItems", "There may be %d.", mostTiers)
	}
	from := int64(0)
	for i, tier := range p.Tiers {
		at := fmt.Sprintf("%s/tiers/%d", at, i)
		if tier.From <= from || tier.From > mostMeasure {
			wrong.At(at+"/from", "out_of_range", "Tiers rise from above 0 to %d.", int64(mostMeasure))
		}
		if from = tier.From; tier.Amount != nil {
			amount(at+"/amount", *tier.Amount)
		}
	}
}

// unknownZone is the answer to a method in a zone that does not exist.
func unknownZone(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23503" {
		return problem.New(problem.Unprocessable, "unknown_reference", "There is no such shipping zone.").At("/zone_id", "unknown_reference", "There is no such shipping zone.")
	}
	return fmt.Errorf("keep shipping method: %w", err)
}

// CreateShippingMethod makes a way to send orders.
func CreateShippingMethod(ctx context.Context, tx *postgres.Tx, in ShippingInput) (ShippingMethodID, error) {
	now := clock.Now()
	m := &method{
		ID: ShippingMethodID(ids.New("shp")), Zone: in.Zone, Name: in.Name, Description: in.Description, TieredBy: in.TieredBy, Pickup: in.Pickup,
		Active: in.Active, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := m.carry(ctx, tx, in.Carrier); err != nil {
		return "", err
	}
	if err := m.check(in.Prices); err != nil {
		return "", err
	}
	others, err := lockMethods(ctx, tx)
	if err != nil {
		return "", err
	}
	if len(others) >= mostMethods {
		return "", problem.New(problem.Unprocessable, "shipping_method_limit", "A store has at most %d shipping methods.", mostMethods)
	}
	m.Position = len(others)
	if _, err := tx.Bun.NewInsert().Model(m).Exec(ctx); err != nil {
		return "", unknownZone(err)
	}
	if in.Position != nil {
		if err := placeMethods(ctx, tx, slices.Insert(others, min(*in.Position, len(others)), m)); err != nil {
			return "", err
		}
	}
	journal.Event(ctx, tx, "shipping_method.created", string(m.ID), journal.Named{ID: string(m.ID), Name: m.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_method.create", ObjectID: string(m.ID), After: m.told()})
	return m.ID, nil
}

// lockMethods reads all shipping methods in their order, and keeps others from changing
// them until the transaction ends.
func lockMethods(ctx context.Context, tx *postgres.Tx) ([]*method, error) {
	// The settings' row stands for the list, so that new ones wait as well.
	if err := stores.Alone(ctx, tx); err != nil {
		return nil, fmt.Errorf("lock shipping methods: %w", err)
	}
	var list []*method
	if err := tx.Bun.NewSelect().Model(&list).Order("position", "id").Scan(ctx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read shipping methods: %w", err)
	}
	return list, nil
}

// placeMethods numbers shipping methods in the order given.
func placeMethods(ctx context.Context, tx *postgres.Tx, list []*method) error {
	order := make([]string, len(list))
	for i, m := range list {
		order[i], m.Position = string(m.ID), i
	}
	_, err := tx.Exec(ctx, `update shipping_methods m set position = w.n - 1 from unnest($1::text[]) with ordinality w(id, n)
		where m.id = w.id and m.position <> w.n - 1`, order)
	if err != nil {
		return fmt.Errorf("place shipping methods: %w", err)
	}
	return nil
}

func findMethod(list []*method, id ShippingMethodID, meant int) (int, error) {
	at := slices.IndexFunc(list, func(m *method) bool { return m.ID == id })
	if at < 0 {
		return 0, problem.Missing("shipping method")
	}
	return at, problem.Outdated(list[at].Version, meant)
}

// UpdateShippingMethod changes a way to send orders that has the version meant; zero is any.
func UpdateShippingMethod(ctx context.Context, tx *postgres.Tx, id ShippingMethodID, meant int, patch ShippingPatch) error {
	list, err := lockMethods(ctx, tx)
	if err != nil {
		return err
	}
	at, err := findMethod(list, id, meant)
	if err != nil {
		return err
	}
	m := list[at]
	before := *m
	merge.Set(&m.Name, patch.Name)
	merge.Set(&m.Description, patch.Description)
	merge.Set(&m.Active, patch.Active)
	merge.Set(&m.Zone, patch.Zone)
	merge.Set(&m.TieredBy, patch.TieredBy)
	merge.Set(&m.Pickup, patch.Pickup)
	if patch.Carrier != nil {
		if err := m.carry(ctx, tx, *patch.Carrier); err != nil {
			return err
		}
	}
	if err := m.check(patch.Prices); err != nil {
		return err
	}
	if patch.Position != nil {
		list = slices.Insert(slices.Delete(list, at, at+1), min(*patch.Position, len(list)-1), m)
		if err := placeMethods(ctx, tx, list); err != nil {
			return err
		}
	}
	if reflect.DeepEqual(before, *m) {
		return nil
	}
	m.Version, m.UpdatedAt = m.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(m).WherePK().Exec(ctx); err != nil {
		return unknownZone(err)
	}
	journal.Event(ctx, tx, "shipping_method.updated", string(m.ID), journal.Named{ID: string(m.ID), Name: m.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_method.update", ObjectID: string(id), Before: before.told(), After: m.told()})
	return nil
}

// DeleteShippingMethod deletes a way to send orders that has the version meant; zero is any.
func DeleteShippingMethod(ctx context.Context, tx *postgres.Tx, id ShippingMethodID, meant int) error {
	list, err := lockMethods(ctx, tx)
	if err != nil {
		return err
	}
	at, err := findMethod(list, id, meant)
	if err != nil {
		return err
	}
	m := list[at]
	kept, err := tx.Keep(ctx, string(id), methodRows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from shipping_methods where id = $1`, id); err != nil {
		return fmt.Errorf("delete shipping method %s: %w", id, err)
	}
	if err := placeMethods(ctx, tx, slices.Delete(list, at, at+1)); err != nil {
		return err
	}
	journal.Event(ctx, tx, "shipping_method.deleted", string(m.ID), journal.Gone{ID: string(m.ID)})
	journal.Audit(ctx, tx, journal.Entry{Action: "shipping_method.delete", ObjectID: string(id), Before: m.told(), Kept: kept})
	return nil
}
