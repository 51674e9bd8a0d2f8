package limits

import (
	"net/netip"
	"time"
)

// The classes of operations that have strict limits of their own, because trying them
// often is how they are abused.
const (
	Signup  = "signup"  // making accounts
	Auth    = "auth"    // signing in, second factors, links from mails; see platform/guard for accounts
	Reset   = "reset"   // having mails sent to an account
	Forgot  = "forgot"  // having a shopper sent a link for a new password; commerce/customers bounds them for each
	Code    = "code"    // guessing coupons and gift cards
	Mail    = "mail"    // having a mail sent to any address
	Payment = "payment" // trying cards
)

// Rule is a strict limit before it is known who is counted.
type Rule struct {
	Name    string
	Address bool // counts the client's address; else the subject: an account or a store
	Limit   int64
	Window  time.Duration
}

// Rules are strict limits by class.
type Rules map[string][]Rule

// StrictRules are the usual ones. Those of an address leave room for an office or a
// mobile network behind it; those of a store are beyond any honest rush of codes or cards.
func StrictRules() Rules {
	return Rules{
		Signup:  {{"signup-address", true, 20, time.Hour}},
		Auth:    {{"auth-address", true, 100, 5 * time.Minute}},
		Reset:   {{"reset-address", true, 30, time.Hour}, {"reset-account", false, 5, time.Hour}},
		Forgot:  {{"forgot-address", true, 20, time.Hour}},
		Code:    {{"code-address", true, 30, 10 * time.Minute}, {"code-store", false, 3000, 10 * time.Minute}},
		Mail:    {{"mail-store", false, 30, time.Hour}},
		Payment: {{"payment-address", true, 30, 10 * time.Minute}, {"payment-store", false, 6000, 10 * time.Minute}},
	}
}

// Policies are a class' limits for an address and a subject, to be counted in one Take.
// Either may be empty, when it is not known yet.
func (r Rules) Policies(class, address, subject string) []Policy {
	var policies []Policy
	for _, rule := range r[class] {
		who := subject
		if rule.Address {
			who = Address(address)
		}
		if who != "" {
			policies = append(policies, Policy{Name: rule.Name, Subject: who, Limit: rule.Limit, Window: rule.Window})
		}
	}
	return policies
}

// Address is whom an address is counted as: itself, or for IPv6 the /64 that a single
// customer of a network has at least.
func Address(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
