package handlers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func TestFieldDefinitions(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, stranger := api.Staff(ctx), api.Staff(other)
	const all = "/v1/field-definitions"
	made := api.Do(t, key, "POST", all, object{"resource": "product", "key": "material", "name": " Material ", "type": "choice",
		"validations": object{"choices": []string{"linen", "wool"}}, "shown_in_shop": true}).Want(201)
	id, at := made.String("id"), all+"/"+made.String("id")
	if made.String("name") != "Material" || made.String("validations.choices.1") != "wool" || made.Get("list") != false {
		t.Errorf("made: %s", made.Body)
	}
	api.Do(t, key, "POST", all, object{"resource": "product", "key": "material", "name": "X", "type": "text"}).WantProblem(409, "field_key_taken")
	api.Do(t, key, "POST", all, object{"resource": "variant", "key": "material", "name": "X", "type": "text"}).Want(201)
	for body, pointer := range map[*object]string{
		{"type": "choice"}: "/validations/choices",
		{"type": "text", "validations": object{"choices": []string{"a"}}}:         "/validations/choices",
		{"type": "text", "validations": object{"min": "1"}}:                       "/validations",
		{"type": "integer", "validations": object{"pattern": "x"}}:                "/validations",
		{"type": "integer", "validations": object{"min": "2", "max": "1"}}:        "/validations/max",
		{"type": "text", "validations": object{"pattern": "("}}:                   "/validations/pattern",
		{"type": "text", "validations": object{"min_length": 2, "max_length": 1}}: "/validations/max_length",
		{"type": "choice", "validations": object{"choices": []string{"a", "a "}}}: "/validations/choices/1",
		{"type": "text", "name": " "}:                                             "/name",
		{"type": "decimal", "filterable": true}:                                   "/filterable",
		{"type": "text", "resource": "category", "filterable": true}:              "/filterable",
	} {
		for name, value := range map[string]string{"resource": "product", "key": "other", "name": "Other"} {
			if (*body)[name] == nil {
				(*body)[name] = value
			}
		}
		if got := api.Do(t, key, "POST", all, *body).WantProblem(422, "invalid_field_definition").String("errors.0.pointer"); got != pointer {
			t.Errorf("%v is wrong at %s", *body, got)
		}
	}
	if got := names(api.Do(t, key, "GET", all+"?resource=variant", nil).Want(200), "resource"); got != "variant" {
		t.Errorf("list: %s", got)
	}
	etag := api.Do(t, key, "GET", at, nil).Want(200).Header.Get("ETag")
	changed := api.Do(t, key, "PATCH", at, object{"description": "Of what?", "shown_in_shop": false}, "If-Match: "+etag).Want(200)
	if changed.String("description") != "Of what?" || changed.Get("shown_in_shop") != false || changed.String("validations.choices.0") != "linen" {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", at, object{"name": "x"}, "If-Match: "+etag).WantProblem(412, "stale")
	api.Do(t, key, "PATCH", at, object{"description": "Of what?"}, apitest.ChangesNothing).Want(200)
	for _, try := range [][3]any{{"GET", at, nil}, {"PATCH", at, object{"name": "mine"}}, {"DELETE", at, nil}, {"GET", all + "/" + ids.New("cfd"), nil}} {
		api.Do(t, stranger, try[0].(string), try[1].(string), try[2]).WantProblem(404, "not_found")
	}
	api.Do(t, key, "DELETE", at, nil, `If-Match: "1"`).WantProblem(412, "stale")
	api.Do(t, key, "DELETE", at, nil).Want(204)
	if got := events(t, api, ctx, id); got != "field_definition.created field_definition.updated field_definition.deleted" {
		t.Errorf("events: %s", got)
	}
	if got := audits(t, api, ctx, id); got != "field_definition.create field_definition.update field_definition.delete" {
		t.Errorf("audit: %s", got)
	}
}

// Each type takes its values, and nothing else.
func TestCustomFieldsOfEachType(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	thing := api.Do(t, key, "POST", "/v1/products", object{"title": "Other"}).Want(201)
	id, variant := thing.String("id"), thing.String("variants.0.id")
	list := func(item any) []any { return []any{item, item} }
	for i, field := range []struct {
		kind  string
		asks  object
		good  []any
		wrong []any
	}{
		{"text", object{"max_length": 5, "pattern": "^[a-z]+$"}, []any{"linen"}, []any{"linens", "A", "", "a\nb", 1, nil}},
		{"multiline_text", nil, []any{"a\nb"}, []any{"a\u0007", true}},
		{"integer", object{"min": "1", "max": "9"}, []any{1, 9}, []any{0, 10, 1.5, "1", 9007199254740993}},
		{"decimal", object{"min": "0.5"}, []any{"0.50", "12"}, []any{"0.4", 1, "1e3", "01", "1."}},
		{"boolean", nil, []any{true, false}, []any{"true", 0}},
		{"date", nil, []any{"2026-02-28"}, []any{"2026-02-30", "yesterday", 1}},
		{"date_time", nil, []any{"2026-02-28T10:00:00Z"}, []any{"2026-02-28", true}},
		{"url", nil, []any{"https://example.com/a"}, []any{"javascript:alert(1)", "example.com", "https://"}},
		{"json", nil, []any{object{"a": []any{1.0, "x"}}, "x"}, []any{strings.Repeat("x", 20001)}},
		{"money", nil, []any{object{"amount": 1999.0, "currency": "EUR"}}, []any{object{"amount": 1.5, "currency": "EUR"}, object{"amount": 1, "currency": "XXQ"}, "19.99"}},
		{"weight", object{"max": "10"}, []any{object{"value": "1.5", "unit": "kg"}}, []any{object{"value": "11", "unit": "kg"}, object{"value": "1", "unit": "cm"}, object{"value": 1, "unit": "kg"}}},
		{"length", nil, []any{object{"value": "20", "unit": "cm"}}, []any{object{"value": "-1", "unit": "cm"}, object{"value": "1", "unit": "cm", "more": 1}}},
		{"choice", object{"choices": []string{"S", "M"}}, []any{"S"}, []any{"L", "s"}},
		{"product_reference", nil, []any{id}, []any{ids.New("prod"), variant, "x"}},
		{"variant_reference", nil, []any{variant}, []any{ids.New("var"), id}},
	} {
		name := fmt.Sprint("f", i)
		definition := object{"resource": "product", "key": name, "name": name, "type": field.kind}
		if field.asks != nil {
			definition["validations"] = field.asks
		}
		api.Do(t, key, "POST", "/v1/field-definitions", definition).Want(201)
		definition["key"], definition["list"] = name+"_list", true
		api.Do(t, key, "POST", "/v1/field-definitions", definition).Want(201)
		for _, value := range field.good {
			got := api.Do(t, key, "PATCH", "/v1/products/"+id, object{"custom_fields": object{name: value, name + "_list": list(value)}}).Want(200)
			if plain, many := fmt.Sprint(got.Get("custom_fields."+name)), fmt.Sprint(got.Get("custom_fields."+name+"_list")); plain != fmt.Sprint(value) || many != fmt.Sprint(list(value)) {
				t.Errorf("%s %v became %s and %s", field.kind, value, plain, many)
			}
		}
		for _, value := range field.wrong {
			if value != nil {
				got := api.Do(t, key, "PATCH", "/v1/products/"+id, object{"custom_fields": object{name: value}}).WantProblem(422, "invalid_product")
				if got.String("errors.0.pointer") != "/custom_fields/"+name {
					t.Errorf("%s %v: %s", field.kind, value, got.Body)
				}
			}
			got := api.Do(t, key, "PATCH", "/v1/products/"+id, object{"custom_fields": object{name + "_list": []any{field.good[0], value}}}).WantProblem(422, "invalid_product")
			if got.String("errors.0.pointer") != "/custom_fields/"+name+"_list/1" {
				t.Errorf("%s %v: %s", field.kind, value, got.Body)
			}
		}
	}
}

// Custom fields of every resource are written, merged, shown and taken away.
func TestCustomFields(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	definitions := map[string]string{}
	for _, resource := range []string{"product", "variant", "collection", "category"} {
		for _, name := range []string{"open", "secret"} {
			body := object{"resource": resource, "key": name, "name": name, "type": "text", "shown_in_shop": name == "open"}
			definitions[resource+name] = api.Do(t, key, "POST", "/v1/field-definitions", body).Want(201).String("id")
		}
	}
	values := object{"open": "a", "secret": "b"}
	wrong := api.Do(t, key, "POST", "/v1/products", object{"title": "P", "custom_fields": object{"none": 1, "open": 1},
		"variants": []object{{"custom_fields": object{"none": 1}}}}).WantProblem(422, "invalid_product")
	for i, pointer := range []string{"/custom_fields/none", "/custom_fields/open", "/variants/0/custom_fields/none"} {
		if got := wrong.String(fmt.Sprintf("errors.%d.pointer", i)); got != pointer {
			t.Errorf("fault %d at %s, want %s", i, got, pointer)
		}
	}
	product := api.Do(t, key, "POST", "/v1/products", object{"title": "P", "status": "active", "custom_fields": values, "variants": []object{{"custom_fields": values}}}).Want(201)
	category := api.Do(t, key, "POST", "/v1/categories", object{"name": "C", "custom_fields": values}).Want(201)
	collection := api.Do(t, key, "POST", "/v1/collections", object{"name": "L", "custom_fields": values}).Want(201)
	for at, shown := range map[string]string{
		"/v1/products/" + product.String("id"):            "product",
		"/v1/variants/" + product.String("variants.0.id"): "variant",
		"/v1/categories/" + category.String("id"):         "category",
		"/v1/collections/" + collection.String("id"):      "collection",
	} {
		if got := fmt.Sprint(api.Do(t, key, "GET", at, nil).Want(200).Get("custom_fields")); got != "map[open:a secret:b]" {
			t.Errorf("%s has %s", shown, got)
		}
		got := api.Do(t, key, "PATCH", at, object{"custom_fields": object{"open": nil, "secret": "c"}}).Want(200)
		if got := fmt.Sprint(got.Get("custom_fields")); got != "map[secret:c]" {
			t.Errorf("%s has %s", shown, got)
		}
		api.Do(t, key, "PATCH", at, object{"custom_fields": object{"secret": "c"}}, apitest.ChangesNothing).Want(200)
		api.Do(t, key, "PATCH", at, object{"custom_fields": object{"open": "d"}}).Want(200)
	}
	for at, place := range map[string]string{
		"/v1/shop/products/p": "custom_fields", "/v1/shop/products": "data.0.variants.0.custom_fields",
		"/v1/shop/categories": "data.0.custom_fields", "/v1/shop/collections/l": "custom_fields",
	} {
		if got := fmt.Sprint(api.Do(t, shopper, "GET", at, nil).Want(200).Get(place)); got != "map[open:map[name:open type:text value:d]]" {
			t.Errorf("%s shows %s", at, got)
		}
	}
	// A collection by a custom field follows it, also when the field goes.
	by := api.Do(t, key, "POST", "/v1/collections", object{"name": "By", "rule": object{"match": "all", "conditions": []object{
		{"field": "custom_field", "key": "open", "operator": "equals", "value": "D"}}}}).Want(201)
	if by.Get("product_count") != 1.0 || by.String("rule.conditions.0.key") != "open" {
		t.Errorf("by a custom field: %s", by.Body)
	}
	api.Do(t, key, "DELETE", "/v1/field-definitions/"+definitions["productopen"], nil).Want(204)
	if got := api.Do(t, key, "GET", "/v1/collections/"+by.String("id"), nil).Want(200).Get("product_count"); got != 0.0 {
		t.Errorf("without the field %v products obey", got)
	}
	if got := fmt.Sprint(api.Do(t, key, "GET", "/v1/products/"+product.String("id"), nil).Want(200).Get("custom_fields")); got != "map[secret:c]" {
		t.Errorf("without the field: %s", got)
	}
}

// Lists of products are filtered by fields that are made for it, and by shoppers only where
// they see them.
func TestProductsByCustomField(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	for name, definition := range map[string]object{
		"material": {"type": "choice", "validations": object{"choices": []string{"linen", "wool"}}, "shown_in_shop": true, "filterable": true},
		"sizes":    {"type": "integer", "list": true, "shown_in_shop": true, "filterable": true},
		"organic":  {"type": "boolean", "filterable": true},
		"plain":    {"type": "text", "shown_in_shop": true},
	} {
		definition["resource"], definition["key"], definition["name"] = "product", name, name
		api.Do(t, key, "POST", "/v1/field-definitions", definition).Want(201)
	}
	collection := api.Do(t, key, "POST", "/v1/collections", object{"name": "All"}).Want(201).String("id")
	for title, values := range map[string]object{
		"A": {"material": "linen", "sizes": []int{38, 40}, "organic": true, "plain": "x"}, "B": {"material": "wool", "sizes": []int{40}, "organic": false}, "C": {},
	} {
		id := api.Do(t, key, "POST", "/v1/products", object{"title": title, "status": "active", "custom_fields": values}).Want(201).String("id")
		api.Do(t, key, "POST", "/v1/collections/"+collection+"/products", object{"product_ids": []string{id}}).Want(200)
	}
	for filter, want := range map[string]string{
		"material:linen": "A", "material:silk": "", "sizes:38": "A", "sizes:x": "", "sizes:99999999999999999999": "", "organic:false": "B", "organic:yes": "", "material:linen&status=draft": "",
	} {
		if got := names(api.Do(t, key, "GET", "/v1/products?custom_field="+filter, nil).Want(200), "title"); got != want {
			t.Errorf("%s finds %q", filter, got)
		}
	}
	for filter, want := range map[string]string{"material:wool": "B", "material:wool&collection_id=" + collection: "B", "sizes:41": ""} {
		if got := names(api.Do(t, shopper, "GET", "/v1/shop/products?custom_field="+filter, nil).Want(200), "title"); got != want {
			t.Errorf("shoppers find %q by %s", got, filter)
		}
	}
	for _, name := range []string{"plain", "none"} {
		api.Do(t, key, "GET", "/v1/products?custom_field="+name+":x", nil).WantProblem(422, "not_filterable")
		api.Do(t, shopper, "GET", "/v1/shop/products?custom_field="+name+":x", nil).WantProblem(422, "not_filterable")
	}
	api.Do(t, shopper, "GET", "/v1/shop/products?custom_field=organic:true", nil).WantProblem(422, "not_filterable")
	api.Do(t, shopper, "GET", "/v1/shop/products?custom_field=Material", nil).WantProblem(400, "invalid_request")

	// Many products, so that the planner has a choice.
	var plan string
	err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `insert into products (id, handle, title, status, custom_fields) select 'prod_' || n, 'n' || n, 'n', 'active',
			jsonb_build_object('sizes', jsonb_build_array(n)) from generate_series(1, 5000) n`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `set local enable_seqscan = on`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `explain select p.id from products p where `+fields.Matches("p.custom_fields", "'sizes'::text", "'42'::text", true))
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		plan = strings.Join(lines, "\n")
		return err
	})
	if err != nil || !strings.Contains(plan, "products_custom_fields") {
		t.Errorf("%v\n%s", err, plan)
	}
}
