package admin_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// unscreened are the operations for people who are signed in that no screen calls, and why.
var unscreened = map[string][]string{
	"the platform's own pages do it, before there is a store to be in": {
		"signUp", "checkStoreAddress", "verifyEmail", "confirmEmailChange", "listAccountStores", "acceptInvitation",
	},
	"the screen has it from the list that it is in": {
		"getDomain", "getStaffMember", "getRole", "getAuditEntry", "getCustomerGroup", "getLocation", "getFieldDefinition", "getShippingMethod", "getShippingZone",
		"getRateService", "getTaxRate", "getEvent", "getReview", "listMenus",
	},
	"the order's screen has it from the order":                                {"getDocument", "getReturn", "listPayments", "getPayment"},
	"a product's options make its variants, all at once, by generateVariants": {"createVariant"},
	"a text is translated where it stands; whole catalogues are by programs":  {"updateTranslations"},
}

// How the program calls: a method and a path, to which an end may be added; or a path that one
// of several screens has.
var (
	called    = regexp.MustCompile("(?:\\.|')(GET|POST|PUT|PATCH|DELETE|get|post|put|patch|delete)(?:\\(|',)\\s*['`](/v1/[^'`$]*)(\\$\\{)?")
	pathAlone = regexp.MustCompile(`path: '(/v1/[^']*)'`)
)

// sources are the program's own texts, by their paths.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir("src", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".ts") && !strings.HasSuffix(path, ".tsx") || strings.HasSuffix(path, ".d.ts") {
			return err
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(path)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// call is what a text asks the API for: a method and a path, or the beginning of one.
type call struct {
	what  string
	begun bool
}

func calls(text string) []call {
	var found []call
	for _, match := range called.FindAllStringSubmatch(text, -1) {
		found = append(found, call{strings.ToUpper(match[1]) + " " + match[2], match[3] != ""})
	}
	for _, match := range pathAlone.FindAllStringSubmatch(text, -1) {
		found = append(found, call{"GET " + match[1], false})
	}
	return found
}

// asks says whether it is an operation, by its method and path.
func (c call) asks(operation string) bool {
	end, cut := strings.CutPrefix(operation, c.what)
	return cut && (end == "" && !c.begun || end != "" && c.begun && !strings.Contains(end, "/"))
}

// forMerchants says whether an operation is for people who are signed in, and not for shoppers,
// operators and providers.
func forMerchants(operation *openapi3.Operation) bool {
	return operation.Security != nil && slices.ContainsFunc(*operation.Security, func(by openapi3.SecurityRequirement) bool { _, signedIn := by["sessionCookie"]; return signedIn })
}

// TestEveryOperationOfMerchantsHasAScreen walks the contract: whatever an integrator can do for a
// merchant, the merchant can do on a screen, or it stands above why not.
func TestEveryOperationOfMerchantsHasAScreen(t *testing.T) {
	t.Parallel()
	var all []call
	for _, text := range sources(t) {
		all = append(all, calls(text)...)
	}
	spec, err := contract.Parse()
	if err != nil {
		t.Fatal(err)
	}
	excepted, walked := slices.Concat(slices.Collect(maps.Values(unscreened))...), 0
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if !forMerchants(operation) {
				continue
			}
			walked++
			asked := method + " " + path
			on := slices.ContainsFunc(all, func(c call) bool { return c.asks(asked) })
			without := slices.Contains(excepted, operation.OperationID)
			if !on && !without {
				t.Errorf("no screen calls %s (%s)", operation.OperationID, asked)
			}
			if on && without {
				t.Errorf("a screen calls %s (%s), which is said to have none", operation.OperationID, asked)
			}
			excepted = slices.DeleteFunc(excepted, func(id string) bool { return id == operation.OperationID })
		}
	}
	if len(excepted) > 0 {
		t.Errorf("no such operations: %v", excepted)
	}
	if walked < 250 {
		t.Errorf("only %d operations were walked", walked)
	}
}
