package stores

import "testing"

func TestFirstZonesAreKnown(t *testing.T) {
	for country := range firstZones {
		if zone := firstZone(country); !KnownCountry(country) || !knownZone(zone) {
			t.Errorf("%s begins with %q", country, zone)
		}
	}
	if firstZone("AQ") != "UTC" || knownZone("Local") || knownZone("") || knownZone("Mars/Olympus") {
		t.Error("what is no zone is known, or what has none has one")
	}
}
