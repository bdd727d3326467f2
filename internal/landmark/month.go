package landmark

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Month is a calendar month, counted from year 0 so that months can be
// compared and stepped with plain arithmetic. The zero Month means none.
type Month int

// MonthOf makes a month; m runs from 1 to 12.
func MonthOf(year, m int) Month { return Month(year*12 + m - 1) }

var monthForm = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})$`)

// ParseMonth reads "2023-09". The error is Invalid.
func ParseMonth(s string) (Month, error) {
	f := monthForm.FindStringSubmatch(s)
	if f == nil {
		return 0, Errorf(Invalid, "month", "月份要写成“2023-09”的样子")
	}
	year, _ := strconv.Atoi(f[1])
	m, _ := strconv.Atoi(f[2])
	if m < 1 || m > 12 || year < 1900 {
		return 0, Errorf(Invalid, "month", "没有“%s”这个月份,请写成“2023-09”的样子", s)
	}
	return MonthOf(year, m), nil
}

// Year is the calendar year.
func (m Month) Year() int { return int(m) / 12 }

// Number is the month in its year, 1 to 12.
func (m Month) Number() int { return int(m)%12 + 1 }

// IsZero says that no month is meant.
func (m Month) IsZero() bool { return m == 0 }

// String is the form used in addresses and files: 2023-09.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year(), m.Number()) }

// Chinese is the form people read: 2023年9月.
func (m Month) Chinese() string { return fmt.Sprintf("%d年%d月", m.Year(), m.Number()) }

// Short is the month alone: 9月.
func (m Month) Short() string { return fmt.Sprintf("%d月", m.Number()) }

// QuarterEnd says whether a quarter ends with the month.
func (m Month) QuarterEnd() bool { return m.Number()%3 == 0 }

// FirstDay and LastDay are the month's bounds.
func (m Month) FirstDay() Date { return Date{m.Year(), m.Number(), 1} }

// LastDay is the cut-off of the month's report (截止日).
func (m Month) LastDay() Date { return (m + 1).FirstDay().AddDays(-1) }

// Date is a calendar day in the city's own zone.
type Date struct{ Year, Month, Day int }

// DateOf is the day of an instant as read off its own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, int(m), d}
}

// ParseDate reads "2023-05-31". The error is Invalid.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, Errorf(Invalid, "date", "日期要写成“2023-05-31”的样子")
	}
	return DateOf(t), nil
}

// Time is the day's first instant in zone.
func (d Date) Time(zone *time.Location) time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, zone)
}

// AddDays steps n days.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, time.Month(d.Month), d.Day+n, 0, 0, 0, 0, time.UTC))
}

// Compare orders days: negative, zero or positive as d is before, on or after e.
func (d Date) Compare(e Date) int {
	switch {
	case d.Year != e.Year:
		return d.Year - e.Year
	case d.Month != e.Month:
		return d.Month - e.Month
	default:
		return d.Day - e.Day
	}
}

// InMonth is the month the day lies in.
func (d Date) InMonth() Month { return MonthOf(d.Year, d.Month) }

// IsZero says that no day is meant.
func (d Date) IsZero() bool { return d == Date{} }

// String is the form used in addresses and files: 2023-05-31.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Chinese is the form people read: 2023年5月31日.
func (d Date) Chinese() string { return fmt.Sprintf("%d年%d月%d日", d.Year, d.Month, d.Day) }

// Short is the day without its year: 5月31日.
func (d Date) Short() string { return fmt.Sprintf("%d月%d日", d.Month, d.Day) }
