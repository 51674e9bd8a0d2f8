package address_test

import (
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
)

func TestVATCountry(t *testing.T) {
	for number, want := range map[string]string{
		"ATU12345678": "AT", "BE0123456789": "BE", "BG123456789": "BG", "CY12345678X": "CY", "CZ12345678": "CZ", "DE123456789": "DE",
		"DK12345678": "DK", "EE123456789": "EE", "EL123456789": "GR", "ESX1234567X": "ES", "FI12345678": "FI", "FRXX123456789": "FR",
		"HR12345678901": "HR", "HU12345678": "HU", "IE1234567WA": "IE", "IE1X23456L": "IE", "IT12345678901": "IT", "LT123456789": "LT",
		"LT123456789012": "LT", "LU12345678": "LU", "LV12345678901": "LV", "MT12345678": "MT", "NL123456789B01": "NL", "PL1234567890": "PL",
		"PT123456789": "PT", "RO12": "RO", "SE123456789001": "SE", "SI12345678": "SI", "SK1234567890": "SK",
		"": "", "DE": "", "DE12345678": "", "DE1234567890": "", "GR123456789": "", "GB123456789": "", "123456789": "", "LT1234567890": "", "de123456789": "",
	} {
		if got := address.VATCountry(number); got != want {
			t.Errorf("%q is of %q, want %q", number, got, want)
		}
	}
	if !address.InEU("GR") || address.InEU("GB") || address.InEU("") {
		t.Error("who is a member")
	}
}

func TestTrimTaxAndRegion(t *testing.T) {
	got := address.Address{Country: "US", Region: " new york ", TaxID: " de 123.456-789 "}.Trim()
	if got.Region != "NY" || got.TaxID != "DE123456789" {
		t.Errorf("got %+v", got)
	}
	for country, regions := range map[string][2]string{"US": {"ca", "CA"}, "CA": {"Québec", "QC"}, "DE": {"Berlin", "Berlin"}, "AU": {"Elsewhere", "Elsewhere"}} {
		if got := address.Region(country, regions[0]); got != regions[1] {
			t.Errorf("%s in %s is %q", regions[0], country, got)
		}
	}
	company := address.Address{Name: "Ada", Line1: "1", City: "C", Country: "FR", PostalCode: "75001", TaxID: "DE12"}
	if faults := check(company); len(faults) != 1 || faults[0] != "/shipping_address/tax_id tax_id" {
		t.Errorf("faults: %v", faults)
	}
	company.TaxID = "DE123456789"
	if faults := check(company); len(faults) != 0 {
		t.Errorf("faults: %v", faults)
	}
}
