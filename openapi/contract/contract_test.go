package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi/contract"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// eachOperation runs a check as a subtest of every operation.
func eachOperation(t *testing.T, check func(t *testing.T, path, method string, op *openapi3.Operation)) {
	t.Helper()
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			t.Run(op.OperationID, func(t *testing.T) { check(t, path, method, op) })
		}
	}
}

func TestTheContractIsValid(t *testing.T) {
	if err := load(t).Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestTheBundleIsCurrent(t *testing.T) {
	root, err := contract.Bundle(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := contract.EncodeYAML(root)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := contract.EncodeJSON(root)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(asYAML, contract.YAML) || !bytes.Equal(asJSON, contract.JSON) {
		t.Fatal("the bundle is not what the files say; run go generate ./openapi/...")
	}
}

func TestEveryOperationSaysWhatTheRouterNeeds(t *testing.T) {
	limits := []string{"read", "write", "search", "upload", "auth", "reset", "forgot", "signup", "code", "mail", "payment", "none"}
	credentials := []string{"none", "session", "secret_key", "publishable_key", "operator_key", "cart_token", "customer_token"}
	permission := regexp.MustCompile(`^(none|[a-z_]+:[a-z]+)$`)
	seen := map[string]bool{}
	eachOperation(t, func(t *testing.T, _, method string, op *openapi3.Operation) {
		if seen[op.OperationID] {
			t.Error("the operationId is not unique")
		}
		seen[op.OperationID] = true
		field := func(name string) string { s, _ := op.Extensions[name].(string); return s }
		if !permission.MatchString(field("x-permission")) {
			t.Errorf("x-permission is %v", op.Extensions["x-permission"])
		}
		if !slices.Contains(limits, field("x-limit")) {
			t.Errorf("x-limit is %v", op.Extensions["x-limit"])
		}
		if field("x-resource") == "" {
			t.Error("there is no x-resource")
		}
		taken, _ := op.Extensions["x-credentials"].([]any)
		if len(taken) == 0 {
			t.Error("there are no x-credentials")
		}
		for _, c := range taken {
			if s, _ := c.(string); !slices.Contains(credentials, s) {
				t.Errorf("x-credentials names %v", c)
			}
		}
		if method == "POST" {
			checkIdempotency(t, op)
		}
		if method != "GET" {
			checkDryRun(t, op)
		}
	})
	if len(seen) < 100 {
		t.Errorf("only %d operations were looked at", len(seen))
	}
}

// checkIdempotency holds x-idempotent against the header that the operation declares.
func checkIdempotency(t *testing.T, op *openapi3.Operation) {
	t.Helper()
	header := op.Parameters.GetByInAndName("header", "Idempotency-Key")
	switch op.Extensions["x-idempotent"] {
	case "required":
		if header == nil || !header.Required {
			t.Error("Idempotency-Key is required by x-idempotent, but not by its parameter")
		}
	case "optional":
		if header == nil || header.Required {
			t.Error("Idempotency-Key is optional by x-idempotent, but not by its parameter")
		}
	case false:
		if header != nil {
			t.Error("Idempotency-Key is declared, but not taken")
		}
	default:
		t.Errorf("x-idempotent is %v", op.Extensions["x-idempotent"])
	}
}

// checkDryRun holds x-dry-run against the parameter that the operation declares.
func checkDryRun(t *testing.T, op *openapi3.Operation) {
	t.Helper()
	declared := op.Parameters.GetByInAndName("query", "dry_run") != nil
	possible, said := op.Extensions["x-dry-run"].(bool)
	reason, _ := op.Extensions["x-dry-run-reason"].(string)
	if !said || possible != declared || !possible && reason == "" {
		t.Errorf("x-dry-run is %v for the reason %q, and dry_run is declared: %t", op.Extensions["x-dry-run"], reason, declared)
	}
}

func TestEveryOperationDeclaresTheStandardProblems(t *testing.T) {
	reads := []string{"400", "401", "403", "404", "429", "500", "503", "504"}
	writes := append([]string{"409", "412", "413", "415", "422", "428"}, reads...)
	eachOperation(t, func(t *testing.T, _, method string, op *openapi3.Operation) {
		want := writes
		if method == "GET" {
			want = reads
		}
		for _, status := range want {
			answer := op.Responses.Value(status)
			if answer == nil || answer.Value.Content.Get("application/problem+json") == nil {
				t.Errorf("%s is not declared as a problem", status)
			}
		}
		succeeds := false
		for status := range op.Responses.Map() {
			succeeds = succeeds || strings.HasPrefix(status, "2")
		}
		if !succeeds {
			t.Error("no success is declared")
		}
	})
}

func TestPathParametersThatAreIDsNameTheirKind(t *testing.T) {
	named := []string{"address", "handle_or_id", "job_id", "locale", "mail_kind", "menu", "promotion_code", "record_id", "resource_id", "share_token"}
	eachOperation(t, func(t *testing.T, path, _ string, op *openapi3.Operation) {
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
			p := op.Parameters.GetByInAndName("path", name[1])
			if p == nil {
				t.Errorf("%s is not declared", name[1])
				continue
			}
			if kind, _ := p.Extensions["x-id"].(string); kind == "" && !slices.Contains(named, name[1]) {
				t.Errorf("%s has no x-id", name[1])
			}
		}
	})
}

func TestListsAreAllAlike(t *testing.T) {
	eachOperation(t, func(t *testing.T, _, method string, op *openapi3.Operation) {
		limit, cursor := op.Parameters.GetByInAndName("query", "limit"), op.Parameters.GetByInAndName("query", "cursor")
		if (limit == nil) != (cursor == nil) {
			t.Fatal("a list takes both limit and cursor")
		}
		lists := method == "GET" && (strings.HasPrefix(op.OperationID, "list") || strings.HasPrefix(op.OperationID, "search"))
		if lists != (limit != nil) {
			t.Fatalf("takes a limit: %t, is a list: %t", limit != nil, lists)
		}
		if !lists {
			return
		}
		schema := op.Responses.Value("200").Value.Content.Get("application/json").Schema.Value
		for _, name := range []string{"data", "has_more", "next_cursor"} {
			if schema.Properties[name] == nil || !slices.Contains(schema.Required, name) {
				t.Errorf("the answer has no %s", name)
			}
		}
	})
}

func TestObjectsAreClosedAndEverythingIsBounded(t *testing.T) {
	free := map[string]bool{"AuditEntry.before": true, "AuditEntry.after": true, "AuditUndo.patch": true, "AuditRecord.record": true, "Event.data": true, "StripeEvent": true,
		"LoggedRequestWhole.request_body": true, "LoggedRequestWhole.response_body": true, "RequestReplay.body": true, "PersonalDataExport.data": true,
		"CustomFields": true, "CustomFieldsUpdate": true, "ShopCustomFields": true}
	for name, ref := range load(t).Components.Schemas {
		if ref.Value.Description == "" {
			t.Errorf("%s is not described", name)
		}
		if !free[name] {
			checkClosed(t, name, ref.Value)
		}
		for property, p := range ref.Value.Properties {
			at := name + "." + property
			if p.Value.Description == "" {
				t.Errorf("%s is not described", at)
			}
			if p.Ref == "" && !free[at] {
				checkClosed(t, at, p.Value)
			}
		}
	}
}

// checkClosed refuses objects that take unknown properties, and texts, lists and numbers
// without a bound. An object whose names are the caller's has a bounded number of them, and
// says what each is.
func checkClosed(t *testing.T, at string, s *openapi3.Schema) {
	t.Helper()
	switch {
	case s.AllOf != nil, s.OneOf != nil, s.Type == nil:
	case s.Type.Is("object"):
		if each := s.AdditionalProperties.Schema; each != nil && s.MaxProps != nil {
			checkClosed(t, at+".*", each.Value)
		} else if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
			t.Errorf("%s takes unknown properties", at)
		}
	case s.Type.Is("string"):
		if s.MaxLength == nil && s.Enum == nil && s.Format != "binary" {
			t.Errorf("%s has no maxLength", at)
		}
	case s.Type.Is("array"):
		if s.MaxItems == nil {
			t.Errorf("%s has no maxItems", at)
		}
		if s.Items.Ref == "" {
			checkClosed(t, at+"[]", s.Items.Value)
		}
	case s.Type.Is("integer"):
		if s.Min == nil || s.Max == nil {
			t.Errorf("%s has no bounds", at)
		}
	}
}

func TestMergePatchesTakeSomethingAndTellNullFromAbsence(t *testing.T) {
	eachOperation(t, func(t *testing.T, _, method string, op *openapi3.Operation) {
		if method != "PATCH" {
			return
		}
		content := op.RequestBody.Value.Content
		patch := content.Get("application/merge-patch+json")
		if patch == nil || content.Get("application/json") == nil {
			t.Fatal("a PATCH takes a merge patch, under either media type")
		}
		if patch.Schema.Value.MinProps != 1 || len(patch.Schema.Value.Required) > 0 {
			t.Error("a merge patch takes at least one property, and requires none")
		}
		if !strings.HasSuffix(patch.Schema.Ref, "Update") {
			t.Error("the schema of a merge patch is named …Update: the models are made by that")
		}
	})
	update := load(t).Components.Schemas["CartUpdate"].Value
	for body, valid := range map[string]bool{
		`{"shipping_address": null}`:    true,
		`{"note": null, "email": null}`: true,
		`{"shipping_address": {"name": "A", "line1": "1", "city": "B", "country": "DE", "company": null}}`: true,
		`{"shipping_address": {"name": "A"}}`: false,
		`{"currency": "EUR"}`:                 false,
		`{}`:                                  false,
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if err := update.VisitJSON(value); (err == nil) != valid {
			t.Errorf("%s: valid %t, want %t (%v)", body, err == nil, valid, err)
		}
	}
}

func TestEveryEventTypeHasItsSchema(t *testing.T) {
	schemas := load(t).Components.Schemas
	types := schemas["EventType"].Value.Enum
	mapping := schemas["WebhookEvent"].Value.Discriminator.Mapping
	if len(types) != len(mapping) {
		t.Errorf("%d types, but %d schemas", len(types), len(mapping))
	}
	for _, value := range types {
		name, _ := value.(string)
		target, ok := mapping[name]
		if !ok {
			t.Errorf("%s has no schema", name)
			continue
		}
		schema := schemas[strings.TrimPrefix(target.Ref, "#/components/schemas/")]
		if schema == nil || !slices.Equal(schema.Value.Properties["type"].Value.Enum, []any{name}) {
			t.Errorf("%s leads to %s, which is of another type", name, target.Ref)
			continue
		}
		for field := range schemas["Event"].Value.Properties {
			if !slices.Contains(schema.Value.Required, field) || schema.Value.Properties[field] == nil {
				t.Errorf("%s does not have %s, as all events do", name, field)
			}
		}
	}
}

func TestEventsAreValidatedBySchemaOfTheirType(t *testing.T) {
	schema := load(t).Components.Schemas["WebhookEvent"].Value
	const around = `{"id": "evt_01jd3v7m2kf8r9e0abcdefghjk", "timestamp": "2026-11-22T09:30:00Z", "object_id": "prod_01jd3v7m2kf8r9e0abcdefghjk",
		"object_sequence": 1, "request_id": null, `
	for body, valid := range map[string]bool{
		around + `"type": "product.deleted", "data": {"id": "prod_01jd3v7m2kf8r9e0abcdefghjk"}}`: true,
		around + `"type": "product.created", "data": {"id": "prod_01jd3v7m2kf8r9e0abcdefghjk"}}`: false,
		around + `"type": "product.invented", "data": {"id": "x"}}`:                              false,
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.VisitJSON(value); (err == nil) != valid {
			t.Errorf("%s: valid %t, want %t (%v)", body, err == nil, valid, err)
		}
	}
}

func TestEveryPermissionCanBeGranted(t *testing.T) {
	known := []string{"none", "store:delete", "operator:read", "operator:support", "operator:admin"} // only owners delete; operators' roles are the platform's own
	for _, value := range load(t).Components.Schemas["Permission"].Value.Enum {
		name, _ := value.(string)
		known = append(known, name)
	}
	eachOperation(t, func(t *testing.T, _, _ string, op *openapi3.Operation) {
		if name, _ := op.Extensions["x-permission"].(string); !slices.Contains(known, name) {
			t.Errorf("%s is not among the permissions", name)
		}
	})
}

func TestErrorCodesAreStableAndDocumented(t *testing.T) {
	codes, err := contract.Errors()
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]int{}
	for _, c := range codes {
		if status[c.Code] != 0 {
			t.Errorf("%s is documented twice", c.Code)
		}
		if c.Status < 400 || c.Meaning == "" {
			t.Errorf("%s is not documented", c.Code)
		}
		status[c.Code] = c.Status
	}
	// Descriptions tell of codes as "409 `last_owner`".
	told := regexp.MustCompile("([45][0-9][0-9]) `([a-z_]+)`")
	eachOperation(t, func(t *testing.T, _, _ string, op *openapi3.Operation) {
		for _, found := range told.FindAllStringSubmatch(op.Description, -1) {
			if want := found[1]; status[found[2]] == 0 || strings.TrimSpace(want) != strconv.Itoa(status[found[2]]) {
				t.Errorf("the description tells of %s %s, documented is %d", want, found[2], status[found[2]])
			}
		}
	})
}
