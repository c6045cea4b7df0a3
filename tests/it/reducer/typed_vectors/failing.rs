//! The vectors of which an event's data makes the document fail: to an aggregate it is not what its type says.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::typed::check_failing;
use super::{Aggregate, Moment, Numbers, One};

/// Folds nothing, and takes data of one type alone.
struct Takes<D>(PhantomData<D>);

#[derive(Serialize, Deserialize)]
enum Taken<D> {
    A(D),
}

impl<D: Serialize + DeserializeOwned> Aggregate for Takes<D> {
    const NAME: &'static str = "takes";
    const VERSION: u32 = 1;
    type State = ();
    type Event = Taken<D>;
    type Command = ();
    type Error = ();

    fn initial() {}

    fn evolve((): &mut (), Taken::A(_): Taken<D>) {}

    fn decide((): &(), (): (), _: &Moment) -> Result<Vec<Taken<D>>, ()> {
        Ok(Vec::new())
    }
}

#[derive(Serialize, Deserialize)]
struct OfLists {
    #[serde(alias = "lines")]
    list: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    #[serde(alias = "x")]
    sku: String,
}

#[test]
fn data_that_a_document_fails_on_is_not_what_its_type_says() {
    check_failing::<Takes<One>>("arithmetic with what is missing fails");
    check_failing::<Takes<One>>("$inc by what is missing fails, also where nothing is");
    check_failing::<Takes<OfLists>>("$size of what is no array fails");
    check_failing::<Takes<Named>>("$push of what is missing fails");
    check_failing::<Takes<Named>>("$max with what is missing fails");
    check_failing::<Takes<Named>>("a name that is missing fails");
    check_failing::<Takes<String>>("a name that is an array fails");
    check_failing::<Takes<OfLists>>("$for over what is missing fails");
    check_failing::<Takes<Vec<f64>>>("$for over an object fails");
    check_failing::<Takes<Vec<Numbers>>>("a number that no double holds fails where it is read");
}
