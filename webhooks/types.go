package webhooks

import (
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Types are the types of events that there are, as the contract lists them.
var Types = []string{
	"product.created", "product.updated", "product.deleted",
	"category.created", "category.updated", "category.deleted",
	"collection.created", "collection.updated", "collection.deleted",
	"page.created", "page.updated", "page.deleted", "post.created", "post.updated", "post.deleted",
	"promotion.created", "promotion.updated", "promotion.deleted",
	"gift_card.created", "gift_card.updated", "store_credit.updated",
	"field_definition.created", "field_definition.updated", "field_definition.deleted",
	"translation.updated", "mail_template.updated",
	"price_list.created", "price_list.updated", "price_list.deleted",
	"inventory.adjusted", "inventory.transferred", "inventory.low", "inventory.out", "inventory.back", "inventory.item_updated", "location.created", "location.updated", "location.deleted", "cart.abandoned", "draft_order.created", "draft_order.updated", "draft_order.sent", "draft_order.completed", "draft_order.deleted",
	"order.created", "order.updated", "order.edited", "order.paid", "order.fulfilled", "order.completed", "order.cancelled", "order.refunded",
	"payment.authorised", "payment.captured", "payment.voided", "payment.failed",
	"refund.succeeded", "refund.failed",
	"dispute.opened", "dispute.updated", "dispute.won", "dispute.lost", "dispute.closed",
	"return.requested", "return.approved", "return.declined", "return.received", "return.inspected", "return.closed", "return.cancelled",
	"fulfilment.created",
	"invoice.issued", "credit_note.issued",
	"customer.created", "customer.updated", "customer.verified", "customer.deleted", "customer.subscribed", "customer.unsubscribed", "customer.erased",
	"review.created", "review.updated", "review.deleted", "wishlist.created", "wishlist.updated", "wishlist.deleted",
	"import.succeeded", "import.failed", "export.succeeded", "export.failed", "bulk.succeeded", "bulk.failed",
	"store.updated", "store.suspended", "store.resumed", "store.deleted", "store.restored",
	"staff.invited", "staff.joined", "staff.updated", "staff.removed",
	"customer_group.created", "customer_group.updated", "customer_group.deleted",
	"shipping_zone.created", "shipping_zone.updated", "shipping_zone.deleted",
	"shipping_method.created", "shipping_method.updated", "shipping_method.deleted",
	"tax_rate.created", "tax_rate.updated", "tax_rate.deleted",
	"rate_service.created", "rate_service.updated", "rate_service.deleted",
	"role.created", "role.updated", "role.deleted",
	"domain.created", "domain.updated", "domain.verified", "domain.failed", "domain.deleted",
	"webhook_endpoint.created", "webhook_endpoint.updated", "webhook_endpoint.disabled", "webhook_endpoint.deleted",
	"settings.updated",
	"webhook.test",
}

// checkFilter refuses what no event will ever match: a mistake that would show by nothing
// but silence.
func checkFilter(patterns []string) error {
	p := problem.New(problem.Unprocessable, "event_type_unknown", "No event matches part of the filter.")
	for i, pattern := range patterns {
		if !slices.ContainsFunc(Types, func(known string) bool { return matches(pattern, known) }) {
			p.At(fmt.Sprintf("/event_types/%d", i), "event_type_unknown", "There is no event of type %s.", pattern)
		}
	}
	return p.OrNil()
}
