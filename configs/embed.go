// Package configs embeds the configuration that every study starts from, and the tables
// that estimates are made with.
package configs

import "embed"

// Space is the file space.yaml: the whole search space.
//
//go:embed space.yaml
var Space []byte

// Prices is the file prices.yaml: AWS's list prices.
//
//go:embed prices.yaml
var Prices []byte

// Seconds is the file seconds.yaml: how long an epoch takes where it was measured.
//
//go:embed seconds.yaml
var Seconds []byte

// Models holds model/*.yaml: a card of each backbone that the search space names.
//
//go:embed model/*.yaml
var Models embed.FS
