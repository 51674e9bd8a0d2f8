package app

import (
	"encoding/json"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// restores bring back what was deleted, by what the audit calls it.
func restores(s *services) handlers.Restores {
	return handlers.Restores{
		"product":         s.catalog.RestoreProduct,
		"variant":         s.catalog.RestoreVariant,
		"category":        s.catalog.RestoreCategory,
		"collection":      s.catalog.RestoreCollection,
		"promotion":       promotions.Restore,
		"price_list":      pricelists.Restore,
		"customer_group":  s.customers.RestoreGroup,
		"shipping_method": settings.RestoreShippingMethod,
		"shipping_zone":   settings.RestoreShippingZone,
		"tax_rate":        settings.RestoreTaxRate,
	}
}

// forget deletes what was left for something to be brought back, which cannot be any more.
func forget(tx *postgres.Tx, action string, kept json.RawMessage) error {
	if action != "product.delete" {
		return nil
	}
	return catalog.ForgetRemoved(tx, []json.RawMessage{kept})
}
