use super::*;
use proptest::prelude::*;

const RU: Option<&str> = Some("RU");

#[track_caller]
fn canonical(raw: &str, region: Option<&str>) -> String {
    let value = mobile(raw, region).unwrap();
    assert_eq!(value.raw(), raw, "the spelling is kept");
    value.canonical().to_owned()
}

#[test]
fn every_spelling_of_a_russian_mobile_agrees() {
    for raw in [
        "+7 (926) 123-45-67",
        "8-926-123-45-67",
        "89261234567",
        "+79261234567",
        "79261234567",
        "926 123 45 67",
        "7.926.123.45.67",
        "(926) 123–45–67",
        "+8 (926) 123-45-67",
        "8 10 7 926 123 45 67",
        "\u{202A}+7\u{A0}926\u{A0}123\u{2011}45\u{2011}67\u{202C}",
        "＋７ ９２６ １２３ ４５ ６７",
        "tel:+7-926-123-45-67",
        "Моб.: 8 926 123-45-67",
    ] {
        assert_eq!(canonical(raw, RU), "+79261234567", "{raw}");
        assert_eq!(mobile_in_pbx(raw, RU).unwrap().canonical(), "+79261234567", "{raw}");
    }
}

#[test]
fn the_region_reads_national_forms() {
    for (raw, region, expected) in [
        ("030 901820", Some("DE"), "+4930901820"),
        ("0049 30 901820", Some("DE"), "+4930901820"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("020 7946 0958", Some("gb"), "+442079460958"),
        ("06 698 12345", Some("IT"), "+390669812345"),
        ("(650) 253-0000", Some("US"), "+16502530000"),
        ("79261234567", None, "+79261234567"),
        ("89261234567", None, "digits:89261234567"),
        ("89261234567", Some("??"), "digits:89261234567"),
    ] {
        assert_eq!(canonical(raw, region), expected, "{raw}");
    }
}

#[test]
fn an_inner_extension_is_part_of_the_number() {
    for raw in [
        "+7 495 123-45-67 доб. 123",
        "8 (495) 123-45-67 (доб.123)",
        "8 (495) 1234567 ext. 123",
        "+74951234567;ext=123",
        "+74951234567x123",
        "+74951234567 Х 123",
        "+7 495 123 45 67,123",
        "+7 495 123 45 67,,123#",
        "+7 495 123 45 67, доб. 123",
        "4951234567#123",
        "495 123-45-67 вн. 123",
    ] {
        assert_eq!(canonical(raw, RU), "+74951234567;ext=123", "{raw}");
        let inner = inner_extension(raw, RU).unwrap();
        assert_eq!((inner.raw(), inner.canonical()), (raw, "123"));
    }
    assert_eq!(canonical("+7 495 123-45-67 доб. 0123", RU), "+74951234567;ext=0123");
    assert_eq!(canonical("123-45-67 доб. 12", RU), "digits:1234567;ext=12");
}

#[test]
fn an_inner_extension_may_stand_alone_but_is_no_phone() {
    for raw in ["вн. 201", "ext. 201", "x201", "#201", ",201", "(доб. 201)"] {
        assert_eq!(inner_extension(raw, None).unwrap().canonical(), "201", "{raw}");
        assert!(mobile(raw, RU).unwrap_err().why.contains("only an inner extension"), "{raw}");
    }
    for raw in ["201", "+7 495 123-45-67", "+7 495 123-45-67 доб.", "Анна, 201", "доб. 5", "доб. 123456789"]
    {
        assert!(inner_extension(raw, RU).is_err(), "{raw}");
    }
}

#[test]
fn internal_numbers_stay_what_they_are() {
    for raw in ["20", "201", "2-01", "123-45-67", "12345678", "0123456"] {
        let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
        for value in [mobile(raw, RU).unwrap(), mobile_in_pbx(raw, RU).unwrap()] {
            assert_eq!(value.canonical(), format!("digits:{digits}"));
            assert_eq!(value.also(), None, "{raw}");
        }
    }
}

#[test]
fn a_short_national_number_is_also_read_as_one() {
    let spelled = mobile("912 34 567", Some("NO")).unwrap();
    assert_eq!((spelled.canonical(), spelled.also()), ("digits:91234567", Some("+4791234567")));
    assert!(spelled.equivalent(&mobile("+47 912 34 567", Some("NO")).unwrap()));
    assert!(spelled.equivalent(&mobile_in_pbx("4791234567", Some("NO")).unwrap()));
    assert!(spelled.equivalent(&mobile_in_pbx("91234567", Some("NO")).unwrap()));
}

#[test]
fn digits_of_the_pbx_are_read_both_ways() {
    let value = mobile_in_pbx("4951234567", RU).unwrap();
    assert_eq!((value.canonical(), value.also()), ("+4951234567", Some("+74951234567")));
    assert!(value.equivalent(&mobile("8 495 123-45-67", RU).unwrap()));
    assert!(value.equivalent(&mobile("+49 5123 4567", RU).unwrap()));

    let value = mobile_in_pbx("79261234567", RU).unwrap();
    assert_eq!((value.canonical(), value.also()), ("+79261234567", None));
    assert_eq!(mobile_in_pbx("89261234567", RU).unwrap().canonical(), "+79261234567");
    assert_eq!(mobile_in_pbx("+79261234567", None).unwrap().canonical(), "+79261234567");
}

#[test]
fn a_number_that_is_not_valid_is_compared_by_its_digits() {
    for raw in ["+7 (026) 123-45-67", "7 026 123 45 67", "70261234567"] {
        assert_eq!(canonical(raw, RU), "digits:70261234567", "{raw}");
    }
    assert_eq!(canonical("+12345", None), "digits:12345");
}

#[test]
fn everything_else_says_why() {
    for (raw, why) in [
        ("", "no digits"),
        ("-", "no digits"),
        ("5", "too few"),
        ("+201", "too few"),
        ("нет", "letters"),
        ("1-800-FLOWERS", "letters"),
        ("+7 926 123-45-67 (Анна)", "letters"),
        ("+7 926 123-45-67, +7 916 123-45-67", "more than one"),
        ("8 926 123-45-67, 89161234567", "more than one"),
        ("8 495 123-45-67; 7654321", "more than one"),
        ("89261234567 89161234567", "too many digits"),
        ("+7 926 123*45*67", "characters"),
        ("+7 926\u{0}123-45-67", "characters"),
        ("+79261234567;phone-context=+1tel:", "letters"),
        (&"1".repeat(257), "too long"),
    ] {
        let refused = mobile(raw, RU).unwrap_err();
        assert!(refused.why.contains(why), "{raw}: {}", refused.why);
    }
}

#[test]
fn the_pbx_gets_digits() {
    for (raw, expected) in [
        ("+7 (926) 123-45-67", Some("79261234567")),
        ("8 926 123-45-67 доб. 12", Some("79261234567")),
        ("201", Some("201")),
        ("0201", None),
        ("123456789012345678", None),
    ] {
        assert_eq!(mobile_for_pbx(&mobile(raw, RU).unwrap()).as_deref(), expected, "{raw}");
    }
}

#[test]
fn the_directory_gets_e164() {
    for (raw, expected) in [
        ("89261234567", "+79261234567"),
        ("89261234567,12", "+79261234567 ext. 12"),
        ("+70261234567", "+70261234567"),
        (" 201 ", "201"),
    ] {
        assert_eq!(mobile_for_directory(&mobile_in_pbx(raw, RU).unwrap()), expected, "{raw}");
    }
}

#[test]
fn regions_are_two_letters_of_a_country() {
    for (code, expected) in
        [("RU", true), ("ru", true), ("ZZ", false), ("001", false), ("Russia", false), ("", false)]
    {
        assert_eq!(is_region(code), expected, "{code}");
    }
}

fn region() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        RU,
        Some("US"),
        Some("DE"),
        Some("NO"),
        Some("IT"),
        Some("AR"),
        Some("zz"),
    ])
}

fn spelling() -> impl Strategy<Value = String> {
    let like_a_phone = "[+]?[0-9 ()-]{2,18}( доб[.] ?|,|#|x|;ext=| вн[.])?[0-9]{0,6}";
    prop_oneof![like_a_phone, "[+]?[78]?9[0-9]{9}", "[0-9+,;#()a-zхдоб=: .-]{0,24}", "(?s).{0,24}"]
}

proptest! {
    #[test]
    fn a_canonical_form_stays(raw in spelling(), region in region(), in_pbx: bool) {
        let read = if in_pbx { mobile_in_pbx } else { mobile };
        if let Ok(value) = read(&raw, region) {
            let again = read(value.canonical().trim_start_matches(BY_DIGITS), region).unwrap();
            prop_assert_eq!(again.canonical(), value.canonical());
        }
        let _ = inner_extension(&raw, region);
    }

    /// The pair a write leaves behind is in agreement by itself, also after our
    /// memory is lost. An inner extension is what the PBX cannot hold; and a
    /// whole number of so few digits that they are a national one here as well
    /// (`+352 2200` in Germany) is read as that one: only the pair knows better.
    #[test]
    fn what_is_written_reads_back_as_the_same(raw in spelling(), region in region()) {
        let has_inner = |value: &Value| value.canonical().contains(INNER);
        if let Ok(here) = mobile(&raw, region)
            && !has_inner(&here)
            && let Some(written) = mobile_for_pbx(&here)
        {
            let there = mobile_in_pbx(&written, region).unwrap();
            let is_national_too = written.len() <= INTERNAL_DIGITS_MAX && there.also().is_some();
            prop_assert!(is_national_too || here.equivalent(&there) && there.equivalent(&here), "{here:?} {there:?}");
        }
        if let Ok(there) = mobile_in_pbx(&raw, region) {
            let here = mobile(&mobile_for_directory(&there), region).unwrap();
            prop_assert!(here.equivalent(&there) && there.equivalent(&here), "{here:?} {there:?}");
        }
    }
}
