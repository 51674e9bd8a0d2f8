package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/platform/problem"
)

// record is a kind of thing whose changes can be undone, and which can be read as it was: the
// audit keeps its states in the words of its update, so that the operations of the contract
// are all that is needed to bring a former state back.
type record struct {
	kind   string // as in the audit's actions
	prefix string // of its ID; empty for settings that have none
	get    string // the operations that read, change, make and delete it; empty where there is none
	update string
	create string
	delete string

	within bool     // its path names what it is within, which its entries tell
	except []string // properties that are not told in the words of its update: what changed them is not undone
	more   []string // properties, of text, that are told and that its update does not set
	past   bool     // it is read as it was, and its changes are not undone
	part   bool     // it has the ID of a thing of another kind, and is named by its kind

	// verbs are what its actions mean that are not called as those of others are; nothing for
	// a shopper's own doing.
	verbs map[string]string

	// shown is where in the answer of get the thing stands; the whole answer when nil.
	shown func(doc state, id string) state
}

// records are the kinds of things whose changes can be undone, by what the audit calls them.
var records = []record{
	{kind: "product", prefix: "prod", get: "getProduct", update: "updateProduct", create: "createProduct", delete: "deleteProduct"},
	{kind: "variant", prefix: "var", get: "getVariant", update: "updateVariant", create: "createVariant", delete: "deleteVariant"},
	{kind: "image", prefix: "img", get: "getProduct", update: "updateProductImage", create: "uploadProductImage", delete: "deleteProductImage", shown: imageOf, within: true},
	{kind: "category", prefix: "cat", get: "getCategory", update: "updateCategory", create: "createCategory", delete: "deleteCategory"},
	{kind: "collection", prefix: "col", get: "getCollection", update: "updateCollection", create: "createCollection", delete: "deleteCollection"},
	{kind: "translation", get: "getTranslation", update: "updateTranslation", shown: translated},
	{kind: "mail_template", get: "getMailTemplate", update: "updateMailTemplate", shown: ownTexts},
	{kind: "promotion", prefix: "prm", get: "getPromotion", update: "updatePromotion", create: "createPromotion", delete: "deletePromotion"},
	{kind: "price_list", prefix: "plist", get: "getPriceList", update: "updatePriceList", create: "createPriceList", delete: "deletePriceList"},
	{kind: "customer_group", prefix: "cgr", get: "getCustomerGroup", update: "updateCustomerGroup", create: "createCustomerGroup", delete: "deleteCustomerGroup"},
	{kind: "customer", prefix: "cus", get: "getCustomer", update: "updateCustomer", create: "createCustomer", delete: "deleteCustomer", past: true,
		more: []string{"email"}, except: []string{"default_address", "marketing_wording"}},
	{kind: "role", prefix: "role", get: "getRole", update: "updateRole", create: "createRole", delete: "deleteRole", past: true},
	{kind: "key", prefix: "key", get: "getApiKey", update: "updateApiKey", create: "createApiKey", past: true},
	{kind: "staff", prefix: "acc", get: "getStaffMember", update: "updateStaffMember", delete: "removeStaffMember", past: true,
		more: []string{"email", "name"}, verbs: map[string]string{"join": "create", "remove": "delete"}},
	{kind: "gift_card", prefix: "gc", get: "getGiftCard", update: "updateGiftCard"},
	{kind: "store_credit", prefix: "cus", get: "listStoreCredit", past: true, part: true},
	{kind: "draft_order", prefix: "cart", get: "getDraftOrder", update: "updateDraftOrder", create: "createDraftOrder", delete: "deleteDraftOrder", past: true,
		more: []string{"sent_at", "order_id"}, except: []string{"reserved_until"}}, // which lapses by itself
	{kind: "inventory_item", prefix: "var", get: "getInventoryItem", update: "updateInventoryItem", part: true},
	{kind: "location", prefix: "loc", get: "getLocation", update: "updateLocation", create: "createLocation", delete: "deleteLocation"},
	{kind: "field_definition", prefix: "cfd", get: "getFieldDefinition", update: "updateFieldDefinition", create: "createFieldDefinition", delete: "deleteFieldDefinition"},
	{kind: "shipping_method", prefix: "shp", get: "getShippingMethod", update: "updateShippingMethod", create: "createShippingMethod", delete: "deleteShippingMethod"},
	{kind: "shipping_zone", prefix: "shz", get: "getShippingZone", update: "updateShippingZone", create: "createShippingZone", delete: "deleteShippingZone"},
	{kind: "tax_rate", prefix: "tax", get: "getTaxRate", update: "updateTaxRate", create: "createTaxRate", delete: "deleteTaxRate"},
	{kind: "rate_service", prefix: "rsv", get: "getRateService", update: "updateRateService", create: "createRateService", delete: "deleteRateService"},
	{kind: "webhook_endpoint", prefix: "whe", get: "getWebhookEndpoint", update: "updateWebhookEndpoint", create: "createWebhookEndpoint", delete: "deleteWebhookEndpoint"},
	{kind: "review", prefix: "rev", get: "getReview", update: "moderateReview", delete: "deleteReview",
		verbs: map[string]string{"moderate": "update", "create": "", "update": ""}},
	{kind: "content_image", prefix: "cimg", get: "getContentImage", update: "updateContentImage", create: "uploadContentImage", delete: "deleteContentImage"},
	{kind: "page", prefix: "page", get: "getPage", update: "updatePage", create: "createPage", delete: "deletePage"},
	{kind: "post", prefix: "post", get: "getPost", update: "updatePost", create: "createPost", delete: "deletePost"},
	{kind: "theme", get: "getTheme", update: "updateTheme"},
	{kind: "menu", get: "getMenu", update: "updateMenu"},
	{kind: "store", prefix: "sto", get: "getStore", update: "updateStore"},
	{kind: "payment_settings", get: "getPaymentSettings", update: "updatePaymentSettings", except: []string{"stripe"}},
	{kind: "invoicing", get: "getInvoicing", update: "updateInvoicing"},
	{kind: "shop_access", get: "getShopAccess", update: "updateShopAccess", except: []string{"password_set"}},
	{kind: "abandoned_cart_settings", get: "getAbandonedCartSettings", update: "updateAbandonedCartSettings"},
}

// recordOf is the record that an action of the audit is about, and what was done to it: what
// changes it as its update does is called that.
func recordOf(action string) (r record, verb string, known bool) {
	kind, verb, _ := strings.Cut(action, ".")
	at := slices.IndexFunc(records, func(r record) bool { return r.kind == kind })
	if at < 0 {
		return record{}, verb, false
	}
	r = records[at]
	if meant, otherwise := r.verbs[verb]; otherwise {
		verb = meant
	}
	return r, verb, true
}

// state is a thing as the contract shows it, or as the audit keeps it.
type state map[string]any

func readState(raw json.RawMessage) (s state, err error) {
	if len(raw) == 0 || raw[0] != '{' {
		return state{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("read a state: %w", err)
	}
	return s, nil
}

// imageOf is an image among those of its product.
func imageOf(product state, id string) state {
	list, _ := product["images"].([]any)
	for _, each := range list {
		if image, ok := each.(map[string]any); ok && image["id"] == id {
			return image
		}
	}
	return nil
}

// translated are the texts of a translation by their keys.
func translated(doc state, _ string) state {
	texts := map[string]any{}
	list, _ := doc["texts"].([]any)
	for _, each := range list {
		if text, ok := each.(map[string]any); ok && text["translation"] != nil {
			texts[fmt.Sprint(text["key"])] = text["translation"]
		}
	}
	return state{"texts": texts}
}

// ownTexts are a mail's texts that are the merchant's own.
func ownTexts(doc state, _ string) state {
	own := state{}
	standard, _ := doc["default"].(map[string]any)
	for _, text := range []string{"subject", "body_html"} {
		if doc[text] != standard[text] {
			own[text] = doc[text]
		}
	}
	return own
}

// property is what a merge patch can set by itself: a property of an update, or a key of one
// that is free in its keys, as custom fields are.
type property struct {
	name, key string // no key for the property itself
	schema    *openapi3.Schema
}

func (p property) pointer() string {
	if p.key == "" {
		return "/" + p.name
	}
	return "/" + p.name + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p.key)
}

// in is the property's value in a state.
func (p property) in(s state) any {
	if p.key == "" {
		return s[p.name]
	}
	values, _ := s[p.name].(map[string]any)
	return values[p.key]
}

// set gives the property a value.
func (p property) set(s state, value any) {
	if p.key == "" {
		s[p.name] = value
		return
	}
	values, _ := s[p.name].(map[string]any)
	values = maps.Clone(values)
	if values == nil {
		values = map[string]any{}
	}
	if values[p.key] = value; value == nil {
		delete(values, p.key)
	}
	s[p.name] = values
}

// properties are what an update can set, as far as some states have it.
func properties(update *openapi3.Schema, states ...state) []property {
	var list []property
	for _, name := range slices.Sorted(maps.Keys(update.Properties)) {
		schema := update.Properties[name].Value
		if !free(schema) {
			list = append(list, property{name: name, schema: schema})
			continue
		}
		keys := map[string]bool{}
		for _, s := range states {
			values, _ := s[name].(map[string]any)
			for key := range values {
				keys[key] = true
			}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			list = append(list, property{name: name, key: key, schema: schema})
		}
	}
	return list
}

// free says whether a schema is of objects whose keys are anybody's, and are merged.
func free(s *openapi3.Schema) bool {
	more := s.AdditionalProperties
	return more.Schema != nil || more.Has != nil && *more.Has
}

// differing are the properties in which two states differ.
func differing(update *openapi3.Schema, a, b state) []property {
	return slices.DeleteFunc(properties(update, a, b), func(p property) bool { return p.same(p.in(a), p.in(b)) })
}

// same says whether two values of a property mean the same.
func (p property) same(a, b any) bool {
	if p.schema.Format == "date-time" {
		if x, y, both := instants(a, b); both {
			return x.Truncate(time.Millisecond).Equal(y.Truncate(time.Millisecond)) // as finely as the contract shows them
		}
	}
	x, err := json.Marshal(tidy(a))
	y, failed := json.Marshal(tidy(b))
	return err == nil && failed == nil && bytes.Equal(x, y)
}

func instants(a, b any) (x, y time.Time, both bool) {
	s, isText := a.(string)
	t, areTexts := b.(string)
	if !isText || !areTexts {
		return x, y, false
	}
	x, err := time.Parse(time.RFC3339Nano, s)
	y, failed := time.Parse(time.RFC3339Nano, t)
	return x, y, err == nil && failed == nil
}

// tidy is a value without what says nothing: no value, an empty text, list or object, and
// within an object what has no value. States of different origins leave these out or not.
func tidy(value any) any {
	switch v := value.(type) {
	case string:
		if v == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		list := make([]any, len(v))
		for i, each := range v {
			list[i] = tidy(each)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, each := range v {
			if each = tidy(each); each != nil {
				object[name] = each
			}
		}
		if len(object) == 0 {
			return nil
		}
		return object
	}
	return value
}

// given is a value as a merge patch gives it in place of another: what says nothing is null where
// there may be none, and else empty; of an object, which is merged, what only the other has is null.
func (p property) given(value, other any) any {
	tidied := tidy(value)
	if others, _ := other.(map[string]any); p.key == "" && p.schema.Type.Is("object") && (tidied != nil || !p.schema.Nullable) {
		object, _ := tidied.(map[string]any)
		object = maps.Clone(object)
		if object == nil {
			object = map[string]any{}
		}
		for name, of := range p.schema.Properties {
			if _, stays := object[name]; !stays && others[name] != nil && of.Value.Nullable {
				object[name] = nil
			}
		}
		return object
	}
	if tidied != nil {
		return tidied
	}
	switch s := p.schema; {
	case p.key != "" || s.Nullable:
		return nil
	case s.Type.Is("array"):
		return []any{}
	case s.Type.Is("string"):
		return ""
	}
	return value
}

// since is the problem that something has changed since it was left as it was.
func since() *problem.Problem {
	return problem.New(problem.Conflict, "changed_since", "It has changed since, and stays as it is.")
}

// conflict notes a property that is not as a change left it.
func conflict(wrong *problem.Problem, p property, left, is any) {
	wrong.At(p.pointer(), "changed_since", "The change left %s, and now it is %s.", brief(left), brief(is))
}

// brief is a value as a sentence can hold it.
func brief(value any) string {
	raw, err := json.Marshal(value)
	if err != nil || value == nil {
		return "nothing"
	}
	if runes := []rune(string(raw)); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return string(raw)
}
