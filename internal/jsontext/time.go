// SPDX-License-Identifier: Apache-2.0

package jsontext

import "encoding/binary"

const (
	secondsPerDay  = 86400
	daysPerEra     = 146097 // days in 400 years of the Gregorian calendar
	nanosPerSecond = 1_000_000_000
)

// timeLength is the length of "2006-01-02T15:04:05.000000000".
const timeLength = 29

// Clock appends times. It remembers the last second, which the next record mostly shares. The zero Clock is ready.
type Clock struct {
	second int64 // since 1970, that text is of
	text   [timeLength]byte
}

// AppendTime is the function AppendTime.
func (c *Clock) AppendTime(dst []byte, unixNano int64) []byte {
	second, nanos := floorDiv(unixNano, nanosPerSecond)
	if second != c.second || c.text[0] == 0 {
		c.second = second
		putSecond(&c.text, second)
	}
	n := len(dst)
	dst = room(dst, timeLength+3)[:n+timeLength+3]
	dst[n] = '"'
	text := (*[timeLength]byte)(dst[n+1:])
	*text = c.text
	putNanos(text, uint32(nanos))
	dst[n+timeLength+1] = 'Z'
	dst[n+timeLength+2] = '"'
	return dst
}

// AppendTime appends the quoted time of unixNano, nanoseconds since 1970 in UTC, in RFC 3339 with all nine decimals:
// "2006-01-02T15:04:05.000000000Z". It covers the whole range of a signed 64-bit count, the years 1677 to 2262.
func AppendTime(dst []byte, unixNano int64) []byte {
	var c Clock
	return c.AppendTime(dst, unixNano)
}

// AppendTimeText appends the time without quotes and with so many decimals, 0 to 9; what is finer is cut off.
func AppendTimeText(dst []byte, unixNano int64, decimals int) []byte {
	var text [timeLength]byte
	second, nanos := floorDiv(unixNano, nanosPerSecond)
	putSecond(&text, second)
	putNanos(&text, uint32(nanos))
	n := timeLength - 9 + decimals
	if decimals == 0 {
		n-- // no point
	}
	return append(append(dst, text[:n]...), 'Z')
}

// putSecond writes the date and the time of day.
//
// It computes the fields itself: time.AppendFormat costs several times as much, and every record has two times.
func putSecond(text *[timeLength]byte, since1970 int64) {
	days, secondOfDay := floorDiv(since1970, secondsPerDay)
	year, month, day := civil(days)
	second := uint32(secondOfDay) // divisions are cheaper with 32 bits

	put2(text, 0, year/100)
	put2(text, 2, year%100)
	text[4] = '-'
	put2(text, 5, month)
	text[7] = '-'
	put2(text, 8, day)
	text[10] = 'T'
	put2(text, 11, second/3600)
	text[13] = ':'
	put2(text, 14, second/60%60)
	text[16] = ':'
	put2(text, 17, second%60)
	text[19] = '.'
}

// putNanos writes the decimals.
func putNanos(text *[timeLength]byte, nanos uint32) {
	micros := nanos / 1000
	put2(text, 20, micros/10_000)
	put2(text, 22, micros/100%100)
	put2(text, 24, micros%100)
	put2(text, 26, nanos/10%100)
	text[28] = byte('0' + nanos%10)
}

func floorDiv(a, b int64) (quotient, remainder int64) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		quotient, remainder = quotient-1, remainder+b
	}
	return quotient, remainder
}

// civil turns days since 1970-01-01 into a date of the Gregorian calendar, from the year 0 on.
// Years are counted from March, so that the leap day is the last of its year.
func civil(days int64) (year, month, day uint32) {
	sinceYear0 := uint32(days + 719468) // from 0000-03-01
	era, dayOfEra := sinceYear0/daysPerEra, sinceYear0%daysPerEra
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/(daysPerEra-1)) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*fromMarch+2)/5 + 1
	month = fromMarch + 3
	if month > 12 {
		month -= 12
	}
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// pairs holds the two digits of each number below 100, the tens in the lower byte.
var pairs = func() (t [100]uint16) {
	for i := range t {
		t[i] = uint16('0'+i/10) | uint16('0'+i%10)<<8
	}
	return t
}()

// put2 writes v, which is below 100, at i.
func put2(text *[timeLength]byte, i int, v uint32) {
	binary.LittleEndian.PutUint16(text[i:], pairs[v])
}
