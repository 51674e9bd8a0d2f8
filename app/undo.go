package app

import (
	"encoding/json"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/pricelists"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// restores take back what the audit's actions did, from what was kept with them.
func restores(s *services) handlers.Restores {
	return handlers.Restores{
		"product.delete":          s.catalog.RestoreProduct,
		"variant.delete":          s.catalog.RestoreVariant,
		"variant.generate":        s.catalog.Ungenerate,
		"image.delete":            s.catalog.RestoreImage,
		"category.delete":         s.catalog.RestoreCategory,
		"collection.delete":       s.catalog.RestoreCollection,
		"promotion.delete":        promotions.Restore,
		"promotion.add_codes":     promotions.TakeCodes,
		"promotion.remove_codes":  promotions.RestoreCodes,
		"price_list.delete":       pricelists.Restore,
		"customer_group.delete":   s.customers.RestoreGroup,
		"location.delete":         inventory.RestoreLocation,
		"field_definition.delete": fields.RestoreDefinition,
		"shipping_method.delete":  settings.RestoreShippingMethod,
		"shipping_zone.delete":    settings.RestoreShippingZone,
		"tax_rate.delete":         settings.RestoreTaxRate,
		"rate_service.delete":     rates.Restore,
		"review.delete":           reviews.Restore,
		"webhook_endpoint.delete": s.webhooks.Restore,
		"draft_order.delete":      s.drafts.Restore,
		"theme.publish":           themes.Unpublish,
		"content_image.delete":    content.RestoreImage,
		"page.delete":             content.Page.Restore,
		"post.delete":             content.Post.Restore,
	}
}

// forget deletes what was left for something to be brought back, which cannot be any more.
func forget(tx *postgres.Tx, action string, kept json.RawMessage) error {
	if action != "product.delete" && action != "image.delete" && action != "content_image.delete" {
		return nil
	}
	return catalog.ForgetRemoved(tx, []json.RawMessage{kept})
}
