package settings

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// TaxRateID names a rate of tax.
type TaxRateID string

// mostTaxRates is how many rates a store can have. Who needs those of every American town
// asks a tax service.
const mostTaxRates = 1000

// TaxInput is a rate of tax to be made.
type TaxInput struct {
	Name              string
	Country           string
	Region            string   // all when empty
	PostalCodes       []string // all when empty
	TaxClass          string   // what has none of its own, when empty
	Percentage        string   // "19", "8.875"
	Combinable        bool     // it is added to the rates of the wider area, instead of taking their place
	AppliesToShipping bool
}

// TaxPatch changes a rate; what is nil stays.
type TaxPatch struct {
	Name              *string
	Region            *string
	PostalCodes       []string
	TaxClass          *string
	Percentage        *string
	Combinable        *bool
	AppliesToShipping *bool
}

// taxRate is a row of tax_rates, and what the audit keeps of one.
type taxRate struct {
	bun.BaseModel `bun:"table:tax_rates,alias:t" json:"-"`

	ID                TaxRateID  `bun:"id,pk" json:"id"`
	Name              string     `bun:"name" json:"name"`
	Country           string     `bun:"country" json:"country"`
	Region            string     `bun:"region" json:"region"`
	PostalCodes       []string   `bun:"postal_codes,array" json:"postal_codes"`
	TaxClass          string     `bun:"tax_class" json:"tax_class"`
	Rate              money.Rate `bun:"rate" json:"-"`
	Combinable        bool       `bun:"combinable" json:"combinable"`
	AppliesToShipping bool       `bun:"applies_to_shipping" json:"applies_to_shipping"`
	Version           int        `bun:"version" json:"version"`
	CreatedAt         time.Time  `bun:"created_at" json:"-"`
	UpdatedAt         time.Time  `bun:"updated_at" json:"-"`
}

// told is the rate in the words of the contract, for the audit.
func (t taxRate) told() any {
	return struct {
		taxRate
		Percentage string `json:"percentage"`
	}{t, t.Rate.Percent()}
}

// taxClass is a name for goods that are taxed alike.
var taxClass = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,63})?$`)

// check tidies the rate and says what is wrong with it. Percentage is as somebody wrote it;
// nil where it stays.
func (t *taxRate) check(percentage *string) error {
	wrong := problem.New(problem.Unprocessable, "invalid_tax_rate", "The tax rate cannot be kept as it is.")
	line(wrong, &t.Name, "/name", 1, 255)
	if percentage != nil {
		rate, err := money.ParsePercent(*percentage)
		if err != nil || rate < 0 || rate > money.BasisPoints(10_000) {
			wrong.At("/percentage", "out_of_range", "It is 0 to 100 with up to four decimals, such as 8.875.")
		}
		t.Rate = rate
	}
	at := territory.Territory{Country: t.Country, Region: t.Region, PostalCodes: t.PostalCodes}
	at.Tidy()
	at.Check(wrong, "")
	if t.Region, t.PostalCodes = at.Region, at.PostalCodes; t.PostalCodes == nil {
		t.PostalCodes = []string{}
	}
	if !taxClass.MatchString(t.TaxClass) {
		wrong.At("/tax_class", "pattern", "It is up to 64 lower-case letters, digits, hyphens and underscores.")
	}
	return wrong.OrNil()
}

// clash is the answer to a rate that would be in another one's place.
func (t *taxRate) clash(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.ConstraintName == "tax_rates_name" || refused.ConstraintName == "tax_rates_place") {
		return problem.New(problem.Conflict, "tax_rate_exists", "There is such a rate already: change it, or make this one combinable under another name.")
	}
	return fmt.Errorf("keep tax rate %s: %w", t.ID, err)
}

// CreateTaxRate makes a rate of tax.
func CreateTaxRate(ctx context.Context, tx *postgres.Tx, in TaxInput) (TaxRateID, error) {
	now := clock.Now()
	t := &taxRate{
		ID: TaxRateID(ids.New("tax")), Name: in.Name, Country: in.Country, Region: in.Region, PostalCodes: in.PostalCodes, TaxClass: in.TaxClass,
		Combinable: in.Combinable, AppliesToShipping: in.AppliesToShipping, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := t.check(&in.Percentage); err != nil {
		return "", err
	}
	others, err := counted(ctx, tx, `select count(*) from tax_rates`)
	if err != nil {
		return "", fmt.Errorf("count tax rates: %w", err)
	}
	if others >= mostTaxRates {
		return "", problem.New(problem.Unprocessable, "tax_rate_limit", "A store has at most %d tax rates.", mostTaxRates)
	}
	if _, err := tx.Bun.NewInsert().Model(t).Exec(ctx); err != nil {
		return "", t.clash(err)
	}
	journal.Event(ctx, tx, "tax_rate.created", string(t.ID), journal.Named{ID: string(t.ID), Name: t.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.create", ObjectID: string(t.ID), After: t.told()})
	return t.ID, nil
}

func lockTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int) (*taxRate, error) {
	t := &taxRate{}
	if err := tx.Hold(ctx, t, id, "tax rate", postgres.ForUpdate); err != nil {
		return nil, err
	}
	return t, problem.Outdated(t.Version, meant)
}

// UpdateTaxRate changes a rate that has the version meant; zero is any.
func UpdateTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int, patch TaxPatch) error {
	t, err := lockTaxRate(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *t
	merge.Set(&t.Name, patch.Name)
	merge.Set(&t.Region, patch.Region)
	merge.Set(&t.TaxClass, patch.TaxClass)
	merge.Set(&t.Combinable, patch.Combinable)
	merge.Set(&t.AppliesToShipping, patch.AppliesToShipping)
	if patch.PostalCodes != nil {
		t.PostalCodes = patch.PostalCodes
	}
	if err := t.check(patch.Percentage); err != nil {
		return err
	}
	if reflect.DeepEqual(before, *t) {
		return nil
	}
	t.Version, t.UpdatedAt = t.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(t).WherePK().Exec(ctx); err != nil {
		return t.clash(err)
	}
	journal.Event(ctx, tx, "tax_rate.updated", string(t.ID), journal.Named{ID: string(t.ID), Name: t.Name})
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.update", ObjectID: string(id), Before: before.told(), After: t.told()})
	return nil
}

// DeleteTaxRate ends a rate that has the version meant; zero is any.
func DeleteTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int) error {
	t, err := lockTaxRate(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, string(id), taxRateRows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from tax_rates where id = $1`, id); err != nil {
		return fmt.Errorf("delete tax rate %s: %w", id, err)
	}
	journal.Event(ctx, tx, "tax_rate.deleted", string(t.ID), journal.Gone{ID: string(t.ID)})
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.delete", ObjectID: string(id), Before: t.told(), Kept: kept})
	return nil
}
