package stores

import (
	"strings"

	"github.com/stoacommerce/stoa/platform/problem"
)

// Bounds of an address. A host name's label has room for 63 characters; the rest is for
// the sandbox's suffix and for what else may want to stand beside an address.
const (
	minAddress = 3
	maxAddress = 40
)

// sandboxSuffix follows the address in the host name of a store's sandbox. No address
// holds two hyphens in a row, so that none can be taken for a sandbox or for an
// internationalised name ("xn--…").
const sandboxSuffix = "--test"

// Why an address cannot be had, in the contract's words.
const (
	malformed  = "malformed"
	reserved   = "reserved"
	confusable = "confusable"
	taken      = "taken"
)

// reservedAddresses are names that the platform uses, may come to use, or that visitors
// would take for the platform's own.
var reservedAddresses = strings.Fields(`
	about abuse access account accounts admin administrator affiliate affiliates alpha analytics android api apis app apple apps
	assets auth authorize autoconfig autodiscover backup beta billing blog bounce broadcasthost business calendar cart cdn
	certificate chat checkout ci cloud cname cname-target code community compliance config connect console contact cpanel
	customer customers dashboard data database dav demo demos dev developer developers development dkim dmarc dns docs
	documentation domain domains download downloads edge email engineering enterprise error errors events example examples
	export faq feedback files forum ftp gateway git google grafana graphql guest guide guides health healthz help helpdesk home
	host hostmaster hosting http https id identity image images imap img import inbox info internal intranet invite invoice
	invoices ios isatap issues jobs kb key keys lab labs legal live local localdomain localhost locks log login logout logs
	mail mailer mailer-daemon mailbox marketing marketplace media merchant merchants metrics mobile monitor monitoring mta
	mta-sts mx my mysql network news newsletter nginx nobody noc node noreply no-reply notification notifications ns ns1 ns2
	ns3 ns4 oauth office official ops operations operator operators order orders owner owners partner partners password pay
	payment payments phishing ping platform plans policy pop pop3 portal postgres postmaster press preview pricing privacy
	prod production profile prometheus proxy public redirect redis register registry relay release releases report reports
	reset resources root sale sales sandbox search secure security server server1 service services session sessions settings
	setup shop shops signin sign-in signup sign-up sitemap smtp source spf ssh ssl ssladmin sslwebmaster staff staging start
	stat static statistics stats status stoa stoacommerce stoa-commerce store stores sub-domain subdomain suggest support
	survey svn sysadmin sysadministrator system team teams terms test testing tests tls token tokens tools trust updates upload
	uploads usenet user users uucp verify video videos vpn wap web webhook webhooks webmail webmaster website whois wiki wpad
	ww www www1 www2 www3 wwww xml xmpp`)

// reservedSkeletons are what those names look like.
var reservedSkeletons = func() map[string]bool {
	skeletons := map[string]bool{}
	for _, name := range reservedAddresses {
		skeletons[Skeleton(name)] = true
	}
	return skeletons
}()

// folds turns what looks alike into one form, in the manner of Unicode's UTS #39 for the
// characters that an address may have. A hyphen is easily overlooked, and goes.
var folds = strings.NewReplacer("-", "", "0", "o", "1", "l", "i", "l", "m", "rn", "w", "vv")

// Skeleton is what an address looks like: two addresses with one skeleton would be taken
// for each other.
func Skeleton(address string) string { return folds.Replace(address) }

// fault says what is wrong with an address in itself: malformed, reserved (or looking
// like one that is), or nothing.
func fault(address string) string {
	switch {
	case !wellFormed(address):
		return malformed
	case reservedSkeletons[Skeleton(address)]:
		return reserved
	}
	return ""
}

// wellFormed says whether address is a host name's label of ours.
func wellFormed(address string) bool {
	if len(address) < minAddress || len(address) > maxAddress || strings.Contains(address, "--") ||
		address[0] == '-' || address[len(address)-1] == '-' {
		return false
	}
	for _, c := range []byte(address) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// refusal is the problem that an address cannot be had.
func refusal(why string) *problem.Problem {
	const pointer = "/store_address"
	switch why {
	case malformed:
		return problem.New(problem.Unprocessable, "address_invalid", "This cannot be an address.").
			At(pointer, malformed, "An address has %d to %d lower-case letters, digits and single inner hyphens.", minAddress, maxAddress)
	case reserved:
		return problem.New(problem.Unprocessable, "address_reserved", "This address is reserved.").
			At(pointer, reserved, "The platform keeps it, or one that looks like it, for itself.")
	case confusable:
		return problem.New(problem.Unprocessable, "address_confusable", "This address looks too much like another.").
			At(pointer, confusable, "Shoppers would mistake one shop for the other.")
	default:
		return problem.New(problem.Conflict, "address_taken", "This address is taken.").
			At(pointer, taken, "Another store has it.")
	}
}

// splitHost tells the address of a store from the label of its host name, and whether
// the label is its sandbox's.
func splitHost(label string) (address string, sandbox bool) {
	return strings.CutSuffix(label, sandboxSuffix)
}

// HostLabel is the first label of the host name that a side of a store is shown at.
func HostLabel(address string, sandbox bool) string {
	if sandbox {
		return address + sandboxSuffix
	}
	return address
}
