package money

import (
	"sync"

	gomoney "github.com/Rhymond/go-money"
)

// The table of currencies is go-money's, which follows ISO 4217. CLDR's (x/text) says
// how many decimals people like to see, which for several currencies (IDR, RSD, ISK and
// others) is not what payment providers and ISO count in; hence it only serves Format.

// notSold are codes of that table in which nothing can be priced today: withdrawn
// currencies, metals and units of account, and codes that ISO never assigned.
var notSold = map[string]bool{
	"ANG": true, "BYR": true, "CUC": true, "EEK": true, "GHC": true, "HRK": true, "LTL": true, "LVL": true,
	"RUR": true, "SKK": true, "SLL": true, "STD": true, "TRL": true, "VEF": true, "ZWD": true, "ZWL": true,
	"CLF": true, "XAG": true, "XAU": true, "XDR": true,
	"GGP": true, "IMP": true, "JEP": true,
}

// Known says whether code is a currency that a price can be in. Codes are upper case.
func Known(code string) bool {
	_, ok := Digits(code)
	return ok
}

// Digits is how many decimals a currency's minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
func Digits(code string) (int, bool) {
	if notSold[code] {
		return 0, false
	}
	c := gomoney.GetCurrency(code) // also finds "eur"
	if c == nil || c.Code != code {
		return 0, false
	}
	return c.Fraction, true
}

// Currencies are the codes of all known currencies, sorted. The caller must not change it.
var Currencies = sync.OnceValue(func() []string {
	// go-money does not list its table, but asking it for every code costs under a millisecond.
	var codes []string
	for a := byte('A'); a <= 'Z'; a++ {
		for b := byte('A'); b <= 'Z'; b++ {
			for c := byte('A'); c <= 'Z'; c++ {
				if code := string([]byte{a, b, c}); Known(code) {
					codes = append(codes, code)
				}
			}
		}
	}
	return codes
})
