package settings

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// TaxRateID names the tax of a country.
type TaxRateID string

// TaxInput is the tax of a country, to be set.
type TaxInput struct {
	Name              string
	Country           string
	RateBPS           int // hundredths of a per cent
	AppliesToShipping bool
}

// TaxPatch changes the tax of a country; what is nil stays.
type TaxPatch struct {
	Name              *string
	RateBPS           *int
	AppliesToShipping *bool
}

// taxRate is a row of tax_rates, and what the audit keeps of one.
type taxRate struct {
	bun.BaseModel `bun:"table:tax_rates,alias:t" json:"-"`

	ID                TaxRateID `bun:"id,pk" json:"id"`
	Country           string    `bun:"country" json:"country"`
	Name              string    `bun:"name" json:"name"`
	RateBPS           int       `bun:"rate_bps" json:"rate_bps"`
	AppliesToShipping bool      `bun:"applies_to_shipping" json:"applies_to_shipping"`
	Version           int       `bun:"version" json:"version"`
	CreatedAt         time.Time `bun:"created_at" json:"-"`
	UpdatedAt         time.Time `bun:"updated_at" json:"-"`
}

func (t *taxRate) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_tax_rate", "The tax rate cannot be kept as it is.")
	line(wrong, &t.Name, "/name", 1, 255)
	if !address.Known(t.Country) {
		wrong.At("/country", "country", "There is no country %q.", t.Country)
	}
	if t.RateBPS < 0 || t.RateBPS > 10000 {
		wrong.At("/rate_bps", "out_of_range", "A rate is 0 to 10000.")
	}
	return wrong.OrNil()
}

// CreateTaxRate sets the tax of a country that has none.
func CreateTaxRate(ctx context.Context, tx *postgres.Tx, in TaxInput) (TaxRateID, error) {
	now := clock.Now()
	t := &taxRate{
		ID: TaxRateID(ids.New("tax")), Country: in.Country, Name: in.Name, RateBPS: in.RateBPS,
		AppliesToShipping: in.AppliesToShipping, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := t.check(); err != nil {
		return "", err
	}
	if _, err := tx.Bun.NewInsert().Model(t).Exec(ctx); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.ConstraintName == "tax_rates_country_key" {
			return "", problem.New(problem.Conflict, "country_has_rate", "%s has a tax rate already.", t.Country)
		}
		return "", fmt.Errorf("insert tax rate: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.create", ObjectID: string(t.ID), After: t})
	return t.ID, nil
}

func lockTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int) (*taxRate, error) {
	t := &taxRate{}
	err := tx.Bun.NewSelect().Model(t).Where("t.id = ?", id).For("update").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Missing("tax rate")
	}
	if err != nil {
		return nil, fmt.Errorf("read tax rate %s: %w", id, err)
	}
	return t, stale(t.Version, meant)
}

// UpdateTaxRate changes the tax of a country that has the version meant; zero is any.
func UpdateTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int, patch TaxPatch) error {
	t, err := lockTaxRate(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	before := *t
	set(&t.Name, patch.Name)
	set(&t.RateBPS, patch.RateBPS)
	set(&t.AppliesToShipping, patch.AppliesToShipping)
	if err := t.check(); err != nil {
		return err
	}
	if before == *t {
		return nil
	}
	t.Version, t.UpdatedAt = t.Version+1, clock.Now()
	if _, err := tx.Bun.NewUpdate().Model(t).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update tax rate %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.update", ObjectID: string(id), Before: before, After: t})
	return nil
}

// DeleteTaxRate ends the tax of a country that has the version meant; zero is any.
func DeleteTaxRate(ctx context.Context, tx *postgres.Tx, id TaxRateID, meant int) error {
	t, err := lockTaxRate(ctx, tx, id, meant)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from tax_rates where id = $1`, id); err != nil {
		return fmt.Errorf("delete tax rate %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "tax_rate.delete", ObjectID: string(id), Before: t})
	return nil
}
