package stores

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What a new store is furnished with, so that it can sell at once: its settings, one way
// to send parcels, its own country's tax, and one place for its goods.
const (
	unfurnish = `delete from settings; delete from shipping_methods; delete from shipping_zones; delete from tax_rates; delete from locations`

	insertSettings = `
insert into settings (id, name, contact_email, country, currency, currencies, locale, prices_include_tax, time_zone)
values (1, $1, $2, $3, $4, array[$4], $5, $6, $7)`

	insertShipping = `
insert into shipping_methods (id, name, prices, position)
values ($1, 'Standard', jsonb_build_object($2::text, jsonb_build_object('amount', $3::bigint)), 0)`

	insertTax = `insert into tax_rates (id, country, name, rate) values ($1, $2, $3, $4 * 100)`

	insertLocation = `insert into locations (id, name) values ($1, 'Warehouse')`
)

// shippingUnits is what the first shipping method costs, in whole units of the currency.
const shippingUnits = 5

// furnish writes what a new store begins with. It can be repeated.
func (s *Service) furnish(ctx context.Context, ref postgres.StoreRef, in Birth) error {
	err := s.db.InStore(postgres.WithStore(ctx, ref), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, unfurnish); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertSettings, in.Name, in.ContactEmail, in.Country, in.Currency, firstLocale, pricesIncludeTax(in.Country), firstZone(in.Country)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertShipping, ids.New("shp"), in.Currency, flatRate(in.Currency)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertLocation, ids.New("loc")); err != nil {
			return err
		}
		name, bps := standardTax(in.Country)
		_, err := tx.Exec(ctx, insertTax, ids.New("tax"), in.Country, name, bps)
		return err
	})
	if err != nil {
		return fmt.Errorf("furnish schema %d of cell %s: %w", ref.Schema, ref.Cell, err)
	}
	return nil
}

// Settings are what a prepared store is furnished with.
func (p *Prepared) Settings() Settings {
	return Settings{
		Name: p.birth.Name, ContactEmail: p.birth.ContactEmail, Country: p.birth.Country, Locale: firstLocale, Locales: []Locale{},
		Currency: p.birth.Currency, Currencies: []string{p.birth.Currency}, PricesIncludeTax: pricesIncludeTax(p.birth.Country),
		TimeZone: firstZone(p.birth.Country), AccentColor: DefaultAccent, Version: 1, UpdatedAt: p.at,
	}
}

// firstLocale is what a new store's pages are written in.
const firstLocale = "en"

// flatRate is the first shipping method's price in minor units.
func flatRate(currency string) int64 {
	digits, _ := money.Digits(currency)
	amount := int64(shippingUnits)
	for range digits {
		amount *= 10
	}
	if digits == 0 {
		amount *= 100 // where a unit is about a cent's worth
	}
	return amount
}

// pricesIncludeTax says whether a country's shoppers are used to prices with tax.
func pricesIncludeTax(country string) bool { return country != "US" && country != "CA" }

// standardTaxes are standard rates of value-added tax in hundredths of a percent, as a
// place to begin: merchants change them, and answer for them.
var standardTaxes = map[string]int{
	"AT": 2000, "AU": 1000, "BE": 2100, "BG": 2000, "CH": 810, "CY": 1900, "CZ": 2100, "DE": 1900, "DK": 2500, "EE": 2400,
	"ES": 2100, "FI": 2550, "FR": 2000, "GB": 2000, "GR": 2400, "HR": 2500, "HU": 2700, "IE": 2300, "IS": 2400, "IT": 2200,
	"JP": 1000, "LT": 2100, "LU": 1700, "LV": 2100, "MT": 1800, "NL": 2100, "NO": 2500, "NZ": 1500, "PL": 2300, "PT": 2300,
	"RO": 2100, "SE": 2500, "SI": 2200, "SK": 2300,
}

// standardTax is what a store in a country begins with.
func standardTax(country string) (name string, bps int) {
	switch country {
	case "US", "CA":
		return "Sales tax", 0 // it depends on the region
	case "AU", "NZ":
		return "GST", standardTaxes[country]
	case "JP":
		return "Consumption tax", standardTaxes[country]
	}
	return "VAT", standardTaxes[country]
}
