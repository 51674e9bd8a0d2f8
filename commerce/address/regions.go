package address

import "strings"

// regions are the codes of the regions that taxes and shipping are commonly told by, under
// their names, in the countries whose people write either.
var regions = map[string]map[string]string{
	"AU": {
		"australian capital territory": "ACT", "new south wales": "NSW", "northern territory": "NT", "queensland": "QLD",
		"south australia": "SA", "tasmania": "TAS", "victoria": "VIC", "western australia": "WA",
	},
	"CA": {
		"alberta": "AB", "british columbia": "BC", "manitoba": "MB", "new brunswick": "NB", "newfoundland and labrador": "NL",
		"northwest territories": "NT", "nova scotia": "NS", "nunavut": "NU", "ontario": "ON", "prince edward island": "PE",
		"quebec": "QC", "québec": "QC", "saskatchewan": "SK", "yukon": "YT",
	},
	"US": {
		"alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO", "connecticut": "CT",
		"delaware": "DE", "district of columbia": "DC", "florida": "FL", "georgia": "GA", "hawaii": "HI", "idaho": "ID", "illinois": "IL",
		"indiana": "IN", "iowa": "IA", "kansas": "KS", "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD",
		"massachusetts": "MA", "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT",
		"nebraska": "NE", "nevada": "NV", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
		"north carolina": "NC", "north dakota": "ND", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA",
		"puerto rico": "PR", "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN", "texas": "TX",
		"utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA", "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
	},
}

// Region is a region of a country as it is kept: by its code where the country's addresses
// have one, so that "California" and "ca" are the same.
func Region(country, text string) string {
	names, ok := regions[country]
	if !ok {
		return text
	}
	if code, ok := names[strings.ToLower(text)]; ok {
		return code
	}
	if len(text) <= 3 {
		return strings.ToUpper(text)
	}
	return text
}
