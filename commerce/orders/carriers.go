package orders

import (
	"net/url"
	"strings"
)

// carriers are where parcels of well-known carriers are followed; {number} is the parcel's.
var carriers = map[string]string{
	"australia post": "https://auspost.com.au/mypost/track/details/{number}",
	"bpost":          "https://track.bpost.cloud/btr/web/#/search?itemCode={number}",
	"canada post":    "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
	"colissimo":      "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
	"correos":        "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={number}",
	"deutsche post":  "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={number}",
	"dhl":            "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
	"dpd":            "https://tracking.dpd.de/status/en_US/parcel/{number}",
	"evri":           "https://www.evri.com/track/parcel/{number}",
	"fedex":          "https://www.fedex.com/fedextrack/?trknbr={number}",
	"gls":            "https://gls-group.com/track/{number}",
	"hermes":         "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation#{number}",
	"la poste":       "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
	"poste italiane": "https://www.poste.it/cerca/index.html#/risultati-spedizioni/{number}",
	"postnl":         "https://postnl.nl/tracktrace/?B={number}",
	"royal mail":     "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
	"swiss post":     "https://service.post.ch/ekp-web/ui/entry/search/{number}",
	"ups":            "https://www.ups.com/track?tracknum={number}",
	"usps":           "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
}

// followed is tracking with the address where a well-known carrier's parcel is followed, unless
// another was given.
func (t Tracking) followed() Tracking {
	place, known := carriers[strings.ToLower(strings.Join(strings.Fields(t.Carrier), " "))]
	if known && t.URL == "" && t.Number != "" {
		t.URL = strings.ReplaceAll(place, "{number}", url.PathEscape(t.Number))
	}
	return t
}
