package privacy

// place is a table of a store's: which of its columns may tell of a person, and what becomes
// of the rows that do. A test holds that every column of text, JSON or bytes stands here.
type place struct {
	table    string
	personal string // columns that may tell of a person
	unshown  string // columns that are not exported: hashes, tokens, and what is the merchant's own
	plain    string // columns that tell of nobody: IDs, words of the program's, the merchant's goods
	theirs   string // which rows t are a person's; empty where none are found by themselves
	change   string // what becomes of them: "delete", or the columns that are set
	keeps    string // why they are not deleted
	later    bool   // after the answer, as there may be many of others to look through
	owner    bool   // by the cell's owner, as the store's own role only adds to it
	hidden   bool   // not exported: what others did
}

// What the conditions of several places are.
const (
	ofOrder = `t.order_id = any(@orders)`
	ofUse   = `(u->>'order_id' = any(@orders) or u->>'email' = any(@emails))`
	tax     = "tax and commercial law: what was sold, paid and owed is kept"
	ledger  = "a ledger stays as it is"
)

// anonymous is an address of which only the part of the world is left.
func anonymous(column string) string {
	return column + ` = case when jsonb_typeof(t.` + column + `) = 'object' then jsonb_strip_nulls(jsonb_build_object('name', '[erased]', 'line1', '[erased]',
		'city', '[erased]', 'country', t.` + column + `->'country', 'region', t.` + column + `->'region')) end`
}

// places are all tables of a store, in the order in which a person is erased from them.
var places = []place{
	{
		table: "customer_tokens", personal: "data", plain: "customer_id purpose", unshown: "hash data",
		theirs: `(t.customer_id = @customer or t.data->>'email' = any(@emails))`, change: "delete",
	},
	{
		table: "stock_alerts", personal: "email locale", plain: "id variant_id",
		theirs: `t.email = any(@emails)`, change: "delete",
	},
	{
		table: "cart_lines", personal: "attributes agreed", plain: "id cart_id variant_id", unshown: "attributes_digest",
		theirs: `t.cart_id = any(@carts)`, change: "delete",
	},
	{
		table: "carts", personal: "email shipping_address billing_address note quotes draft tax_exempt_reason country customer_id locales",
		plain: "id state currency shipping_method_id codes gift_cards", unshown: "token_hash other_tokens quotes",
		theirs: `t.id = any(@carts)`, change: "delete",
	},
	{
		table: "order_lines", personal: "attributes", unshown: "image_key",
		plain:  "id order_id cart_line_id variant_id product_id title variant_title sku price_list discounts taxes allocations",
		theirs: ofOrder, change: `attributes = '{}'`, keeps: tax,
	},
	{
		table: "order_edits", personal: "reason", plain: "id order_id return_id lines discounts",
		theirs: ofOrder, change: `reason = ''`, keeps: tax,
	},
	{
		table: "fulfilments", personal: "tracking_number tracking_url", plain: "id order_id lines carrier",
		theirs: ofOrder, change: `tracking_number = '', tracking_url = ''`, keeps: tax,
	},
	{
		table: "returns", personal: "note message lines", plain: "id order_id state exchange",
		theirs: ofOrder, change: `note = '', message = '', version = version + 1,
			lines = (select coalesce(jsonb_agg(case when jsonb_typeof(l) = 'object' and l ? 'note' then jsonb_set(l, '{note}', 'null') else l end), '[]') from jsonb_array_elements(t.lines) l)`, keeps: tax,
	},
	{
		table: "payments", personal: "request failure", unshown: "attempt asker request",
		plain:  "id cart_id order_id provider account capture reference state asked currency disputes",
		theirs: ofOrder, change: `request = '{}', failure = ''`, keeps: tax,
	},
	{
		table: "refunds", personal: "reason failure", unshown: "attempt", plain: "id order_id state currency parts lines return_id edit_id",
		theirs: ofOrder, change: `reason = '', failure = ''`, keeps: tax,
	},
	{
		table: "promotion_uses", personal: "email", plain: "promotion_id order_id code currency",
		theirs: `(` + ofOrder + ` or t.email = any(@emails))`, change: `email = @erased`, keeps: "limits of promotions count on",
	},
	{
		table: "documents", personal: "content", unshown: "pdf sealed", plain: "id kind order_id refund_id edit_id number currency",
		theirs: ofOrder, change: "restricted", keeps: "tax law: invoices are kept unchanged for ten years, sealed",
	},
	{
		table: "credit_entries", personal: "reason", plain: "id account_id kind order_id payment_id refund_id",
		theirs: `t.account_id in (select id from credit_accounts where customer_id = @customer)`, change: `reason = ''`, keeps: ledger,
	},
	{
		table: "credit_accounts", personal: "note customer_id", unshown: "code_digest", plain: "id kind currency last_characters",
		theirs: `t.customer_id = @customer`, change: `note = '', customer_id = null, version = version + 1`, keeps: ledger,
	},
	{
		table: "orders", unshown: "token_hash",
		personal: "email shipping_address billing_address note custom_fields cancel_reason tax_exempt_reason customer_id tags",
		plain:    "id cart_id state payment_state fulfilment_state currency locale shipping_method taxes discounts",
		theirs:   `t.id = any(@orders)`, keeps: tax,
		change: `email = @erased, customer_id = null, note = '', custom_fields = '{}', tags = '{}', cancel_reason = '', version = version + 1, ` +
			anonymous("shipping_address") + `, ` + anonymous("billing_address"),
	},
	{
		table: "marketing_consents", personal: "customer_id email requested_ip ip actor actor_id", plain: "id channel method wording actor_kind",
		theirs: `t.customer_id = @customer`, change: "delete",
	},
	{
		table: "reviews", personal: "customer_id title body author locale", plain: "id product_id state reply",
		theirs: `t.customer_id = @customer`, change: "delete",
	},
	{
		table: "wishlists", personal: "customer_id name items", unshown: "share_token", plain: "id",
		theirs: `t.customer_id = @customer`, change: "delete",
	},
	{
		table: "customers", personal: "email name phone addresses default_address default_billing_address tax_exempt_reason note custom_fields group_ids tags", unshown: "password_hash", plain: "id",
		theirs: `t.id = @customer`, change: "delete",
	},
	{
		table: "events", personal: "data", plain: "id type object_id request_id", later: true,
		theirs: `(t.object_id = any(@ids) or lower(t.data->>'email') = any(@emails))`, keeps: "an event may still be on its way",
		change: `data = t.data || case when jsonb_typeof(t.data->'email') = 'string' then jsonb_build_object('email', @erased::text) else '{}' end
			|| case when jsonb_typeof(t.data->'tracking') = 'object' then '{"tracking": null}'::jsonb else '{}' end`,
	},
	{
		table: "operation_rows", personal: "handle input undo messages", plain: "operation_id outcome object_id", later: true,
		theirs: `(t.object_id = any(@ids) or t.handle = any(@emails) or t.input::text ilike any(@containing) or t.undo::text ilike any(@containing) or t.messages::text ilike any(@containing))`,
		change: `handle = '', input = null, undo = null, messages = '[]'`, keeps: "an operation's rows are counted",
	},
	{
		table: "operations", personal: "input messages error", plain: "id kind state counts created_by created_from request_id undoes file", later: true, hidden: true,
		theirs: `(t.input::text ilike any(@containing) or t.messages::text ilike any(@containing) or t.error::text ilike any(@containing))`,
		change: `input = '{}', messages = '[]', error = null`, keeps: "that something was done is kept",
	},
	{
		table: "audit_entries", personal: "actor before after reason ip", plain: "id actor_kind actor_id action object_id request_id session_id user_agent undoes", later: true, owner: true, hidden: true,
		theirs: `t.action <> 'customer.erase' and (t.object_id = any(@ids) or t.actor_id = @customer and @customer <> '' or t.actor ilike any(@containing) or t.reason ilike any(@containing)
			or t.before::text ilike any(@containing) or t.after::text ilike any(@containing))`,
		change: `before = null, after = null, reason = '', actor = case when t.actor_kind in ('account', 'key', 'operator', 'system') then t.actor else '' end,
			ip = case when t.actor_kind in ('account', 'key', 'operator', 'system') then t.ip else '' end`, keeps: "that something was done is kept",
	},
	{
		table: "audit_kept", personal: "kept", plain: "entry_id", later: true, hidden: true,
		theirs: `(t.kept->'values' ?| @ids or exists (select from jsonb_array_elements(t.kept->'promotion_uses') u where ` + ofUse + `)
			or exists (select from jsonb_array_elements(t.kept->'reviews') r where r->>'customer_id' = any(@ids))
			or exists (select from jsonb_array_elements(t.kept->'carts') c where c->>'id' = any(@ids) or c->>'customer_id' = any(@ids) or c->>'email' = any(@emails)))`,
		change: `kept = t.kept || case when t.kept ? 'values' then jsonb_build_object('values', (t.kept->'values') - @ids::text[]) else '{}' end
			|| case when t.kept ? 'promotion_uses' then jsonb_build_object('promotion_uses', (select coalesce(jsonb_agg(
				case when ` + ofUse + ` then u || jsonb_build_object('email', @erased::text) else u end), '[]') from jsonb_array_elements(t.kept->'promotion_uses') u)) else '{}' end
			|| case when t.kept ? 'reviews' then '{"reviews": []}'::jsonb else '{}' end
			|| case when t.kept ? 'carts' then '{"carts": [], "cart_lines": []}'::jsonb else '{}' end`, keeps: "what was deleted can be brought back for a while",
	},
	{
		table: "stock_movements", personal: "note actor", plain: "id variant_id location_id type reason order_id transfer_id actor_kind actor_id", later: true, owner: true, hidden: true,
		theirs: `(t.order_id = any(@orders) or t.actor_id = @customer and @customer <> '' or t.actor = any(@emails) or t.note ilike any(@containing))`, keeps: ledger,
		change: `note = '', actor = case when t.actor_kind in ('account', 'key', 'operator', 'system') then t.actor else '' end`,
	},
	{
		table: "searches", personal: "words", later: true, hidden: true,
		theirs: `t.words ilike any(@containing)`, change: "delete",
	},
	{table: "erasures", plain: "id state customer_id reason places", unshown: "sealed"}, // sealed for a while; the reason says nothing of the person

	// What is the merchant's own.
	{table: "settings", plain: "name description contact_email country currency currencies locale locales translations order_prefix theme theme_draft menus payments abandoned_cart_mail shop_access invoicing time_zone analytics"},
	{table: "mail_templates", plain: "kind locale subject body_html"},
	{table: "shipping_zones", plain: "id name territories"},
	{table: "rate_services", plain: "id kind name url secret failure"},
	{table: "shipping_methods", plain: "id zone_id name description tiered_by carrier_service_id carrier_rate prices pickup_address translations"},
	{table: "tax_rates", plain: "id name country region postal_codes tax_class"},
	{table: "categories", plain: "id parent_id path lineage name handle description seo_title seo_description custom_fields translations"},
	{table: "contents", plain: "id kind handle title body excerpt author image_id purpose seo_title seo_description translations"},
	{table: "products", plain: "id handle title description vendor product_type status tags options category_id seo_title seo_description custom_fields translations"},
	{table: "variants", plain: "id product_id title options sku barcode net_content cost_currency image_id tax_class custom_fields translations"},
	{table: "prices", plain: "variant_id currency"},
	{table: "images", plain: "id product_id alt state source_url content_type sizes translations"},
	{table: "collections", plain: "id handle title description seo_title seo_description match rules sort_order custom_fields translations"},
	{table: "collection_products", plain: "collection_id product_id sort_key"},
	{table: "former_handles", plain: "kind handle object_id"},
	{table: "field_definitions", plain: "id resource key name description type validations translations"},
	{table: "price_lists", plain: "id name kind group_ids"},
	{table: "price_list_prices", plain: "variant_id currency price_list_id"},
	{table: "price_history", plain: "variant_id currency"},
	{table: "locations", plain: "id name address"},
	{table: "stock_levels", plain: "variant_id location_id"},
	{table: "reservations", plain: "cart_id variant_id location_id"},
	{table: "customer_groups", plain: "id name"},
	{table: "promotions", plain: "id title rule"},
	{table: "promotion_codes", plain: "code promotion_id"},
	{table: "test_charges", plain: "reference state currency failure refunds"},
	{table: "product_index", plain: "keys product_id status title vendor attributes"},
	{table: "product_words", plain: "keys product_id status title vendor attributes names search"},
	{table: "analytics_orders", plain: "order_id currency facts"},
	{table: "analytics_figures", plain: "kind currency grain key"},
	{table: "analytics_visits", plain: "salt sketches"}, // sketches tell of nobody, and the salt is gone with the day
	{table: "webhook_endpoints", plain: "id url description events disabled_reason secrets"},
	{table: "import_images", plain: "image_id operation_id product_id variant_ids"},
}

// outcome says what becomes of a place's rows.
func (p place) outcome() string {
	switch p.change {
	case "delete":
		return "deleted"
	case "restricted":
		return "restricted"
	}
	return "anonymised"
}

// statement erases the person from the place.
func (p place) statement(schema string) string {
	table := schema + p.table
	if p.change == "delete" {
		return `delete from ` + table + ` t where ` + p.theirs
	}
	return `update ` + table + ` t set ` + p.change + ` where ` + p.theirs
}
