package admin_test

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// unasked are the inputs of operations with a screen that no screen gives, and why: a parameter of
// any operation, a parameter of one, or a property of what one is sent.
var unasked = map[string][]string{
	"what was done is taken back, rather than tried":                      {"?dry_run"},
	"the list is short, and comes whole":                                  {"listDomains?cursor", "listInvitations?cursor", "listMailTemplates?cursor", "listPasskeys?cursor", "listPermissions?cursor", "listPlans?cursor", "listRoles?cursor", "listSessions?cursor", "listShippingZones?cursor"},
	"it is told in the languages that the store is written in":            {"getAuditRecord?locale"},
	"the tree is on the screen, whole":                                    {"listCategories?ancestor_id"},
	"all variants are on the screen, by their choices":                    {"listVariants?option1", "listVariants?option2", "listVariants?option3"},
	"the palette shows as many of each kind as the API gives":             {"lookUp?per_kind"},
	"staff writes how many there are, which the difference follows from":  {"adjustInventory.lines.delta"},
	"the movements are those of a variant; an order has its own timeline": {"listInventoryMovements?order_id"},
	"it is the shopper's browser that a provider leads on":                {"createOrderPayment.payment.flow", "createOrderPayment.payment.return_url"},
	"a shop's own program writes it, such as an engraving":                {"createOrderEdit.add.attributes", "exchangeReturn.add.attributes"},
	"a cell of the grid holds all prices of its variant":                  {"bulkVariants.changes.set_prices", "bulkVariants.changes.remove_prices", "bulkVariants.items.changes.set_prices", "bulkVariants.items.changes.remove_prices"},
	"it is the first of the book, which is written whole":                 {"createCustomer.default_address", "updateCustomer.default_address"},
}

// In which words a text gives something: not in a comment, and not as what is read of a thing.
var (
	comment  = regexp.MustCompile(`(?s:/\*.*?\*/)|(?m:(?:^|\s)//.*$)`)
	read     = regexp.MustCompile(`([^.])\.[A-Za-z_]+`)
	word     = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	imported = regexp.MustCompile(` from '(\.[^']*)'`)
)

// rooms are what screens are made of: folders, with all that they take from others.
type rooms struct {
	words   map[string][]string // by file
	imports map[string][]string
	known   map[string]map[string]bool // by folders
}

func survey(files map[string]string) rooms {
	r := rooms{map[string][]string{}, map[string][]string{}, map[string]map[string]bool{}}
	for file, text := range files {
		if path.Base(file) == "words.ts" || path.Dir(file) == "src/words" {
			continue // what it says is no input
		}
		text = comment.ReplaceAllString(text, "")
		for _, from := range imported.FindAllStringSubmatch(text, -1) {
			r.imports[file] = append(r.imports[file], path.Join(path.Dir(file), from[1]))
		}
		r.words[file] = word.FindAllString(read.ReplaceAllString(strings.ReplaceAll(text, "...", " "), "$1"), -1)
	}
	return r
}

// written are the words that are given in folders, and in all that they take from others.
func (r rooms) written(folders []string) map[string]bool {
	slices.Sort(folders)
	folders = slices.Compact(folders)
	key := strings.Join(folders, " ")
	if r.known[key] != nil {
		return r.known[key]
	}
	found, seen, todo := map[string]bool{}, map[string]bool{}, []string{}
	for file := range r.words {
		if slices.Contains(folders, path.Dir(file)) {
			todo = append(todo, file)
		}
	}
	for len(todo) > 0 {
		file := todo[0]
		todo = todo[1:]
		if seen[file] {
			continue
		}
		seen[file] = true
		for _, each := range r.words[file] {
			found[each] = true
		}
		for _, from := range r.imports[file] {
			todo = append(todo, from+".ts", from+".tsx")
		}
	}
	r.known[key] = found
	return found
}

// inputs are what an operation can be given: parameters of its query, and properties of its body
// with all that they hold.
func inputs(item *openapi3.PathItem, operation *openapi3.Operation) []string {
	var all []string
	for _, parameter := range slices.Concat(item.Parameters, operation.Parameters) {
		if parameter.Value.In == openapi3.ParameterInQuery {
			all = append(all, "?"+parameter.Value.Name)
		}
	}
	var walk func(schema *openapi3.SchemaRef, at string, within []*openapi3.Schema)
	walk = func(schema *openapi3.SchemaRef, at string, within []*openapi3.Schema) {
		if schema == nil || schema.Value == nil || slices.Contains(within, schema.Value) {
			return
		}
		within = append(slices.Clone(within), schema.Value)
		for name, property := range schema.Value.Properties {
			all = append(all, at+"."+name)
			walk(property, at+"."+name, within)
		}
		walk(schema.Value.Items, at, within)
		walk(schema.Value.AdditionalProperties.Schema, at, within)
		for _, part := range slices.Concat(schema.Value.AllOf, schema.Value.AnyOf, schema.Value.OneOf) {
			walk(part, at, within)
		}
	}
	if operation.RequestBody != nil {
		for _, content := range operation.RequestBody.Value.Content {
			walk(content.Schema, "", nil)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEveryInputOfMerchantsIsOnAScreen goes one level deeper than operations: whatever an
// integrator can say to one, the screens that call it can give, or it stands above why not. What
// is looked for is each input's name, in what the screen's room and all that it takes from others
// write, as what is read of a thing does not count.
func TestEveryInputOfMerchantsIsOnAScreen(t *testing.T) {
	t.Parallel()
	spec, err := contract.Parse()
	if err != nil {
		t.Fatal(err)
	}
	files := sources(t)
	surveyed, walked, excused, asked := survey(files), 0, map[string]bool{}, map[string][]call{}
	for file, text := range files {
		asked[file] = calls(text)
	}
	for _, these := range unasked {
		for _, each := range these {
			excused[each] = false
		}
	}
	excuse := func(input string) bool {
		name := input[strings.LastIndexAny(input, ".?"):]
		for _, by := range []string{input, name} {
			if _, ok := excused[by]; ok {
				excused[by] = true
				return true
			}
		}
		// What is in something that no screen gives is not given either.
		return slices.ContainsFunc(slices.Concat(slices.Collect(maps.Values(unasked))...), func(whole string) bool { return strings.HasPrefix(input, whole+".") })
	}
	for at, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if !forMerchants(operation) {
				continue
			}
			var folders []string
			for file, those := range asked {
				if slices.ContainsFunc(those, func(c call) bool { return c.asks(method + " " + at) }) {
					folders = append(folders, path.Dir(file))
				}
			}
			if len(folders) == 0 {
				continue // which TestEveryOperationOfMerchantsHasAScreen sees to
			}
			given := surveyed.written(folders)
			for _, input := range inputs(item, operation) {
				walked++
				if name := input[strings.LastIndexAny(input, ".?")+1:]; !given[name] && !excuse(operation.OperationID+input) {
					t.Errorf("no screen gives %s%s; looked for in %v", operation.OperationID, input, folders)
				}
			}
		}
	}
	for input, needed := range excused {
		if !needed {
			t.Errorf("%s is said to be on no screen, and there is none such, or it is on one", input)
		}
	}
	if walked < 1500 {
		t.Errorf("only %d inputs were walked", walked)
	}
}
