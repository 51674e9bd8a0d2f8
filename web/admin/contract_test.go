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

// TestEveryOperationOfMerchantsHasAScreen walks the contract: whatever an integrator can do for a
// merchant, the merchant can do on a screen, or it stands above why not.
func TestEveryOperationOfMerchantsHasAScreen(t *testing.T) {
	t.Parallel()
	calls, begun := map[string]bool{}, []string{}
	err := filepath.WalkDir("src", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".ts") && !strings.HasSuffix(path, ".tsx") || strings.HasSuffix(path, ".d.ts") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, call := range called.FindAllStringSubmatch(string(text), -1) {
			if this := strings.ToUpper(call[1]) + " " + call[2]; call[3] == "" {
				calls[this] = true
			} else {
				begun = append(begun, this)
			}
		}
		for _, path := range pathAlone.FindAllStringSubmatch(string(text), -1) {
			calls["GET "+path[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := contract.Parse()
	if err != nil {
		t.Fatal(err)
	}
	excepted, walked := slices.Concat(slices.Collect(maps.Values(unscreened))...), 0
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.Security == nil || !slices.ContainsFunc(*operation.Security, func(by openapi3.SecurityRequirement) bool { _, signedIn := by["sessionCookie"]; return signedIn }) {
				continue // for shoppers, operators and providers
			}
			walked++
			call := method + " " + path
			on := calls[call] || slices.ContainsFunc(begun, func(part string) bool {
				end, cut := strings.CutPrefix(call, part)
				return cut && end != "" && !strings.Contains(end, "/")
			})
			without := slices.Contains(excepted, operation.OperationID)
			if !on && !without {
				t.Errorf("no screen calls %s (%s)", operation.OperationID, call)
			}
			if on && without {
				t.Errorf("a screen calls %s (%s), which is said to have none", operation.OperationID, call)
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
